package backup

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"oms.internal/servers/dbpair"
)

// A file begins with a header, which names the engine, because one engine cannot load the SQL of the other. It ends with a line that says
// what is in it, and a last line with the SHA-256 of everything before. All of these are comments to the engines.
const (
	header    = "-- OMS backup 2 of "
	oldHeader = "-- OMS backup of " // of earlier releases, whose files end without the last two lines
	anyHeader = "-- OMS backup "
	contents  = "-- Contents: "
	lastLine  = "-- SHA-256: "
)

// Contents say what is in a file.
type Contents struct {
	Made   time.Time     `json:"made"`
	Engine dbpair.Engine `json:"engine"`
	// Server is the version of the server.
	Server string `json:"server"`
	// Migrations holds the number of the last migration by schema.
	Migrations map[string]int64 `json:"migrations"`
	// Rows holds the number of rows by table ("accounts.members").
	Rows map[string]int64 `json:"rows"`

	// Sealed is false for a file of an earlier release. Such a file does not show whether it is whole, nor its versions.
	Sealed bool `json:"-"`
}

// total is the number of all rows.
func (c Contents) total() (sum int64) {
	for _, rows := range c.Rows {
		sum += rows
	}
	return sum
}

// difference says in words where two numbers of rows are not the same, "" if they are.
func difference(found, wanted map[string]int64) string {
	var words []string
	for _, table := range slices.Sorted(maps.Keys(wanted)) {
		if number, there := found[table]; !there {
			words = append(words, table+" is missing")
		} else if number != wanted[table] {
			words = append(words, fmt.Sprintf("%s has %d rows instead of %d", table, number, wanted[table]))
		}
	}
	for _, table := range slices.Sorted(maps.Keys(found)) {
		if _, there := wanted[table]; !there {
			words = append(words, table+" should not be there")
		}
	}
	return strings.Join(words, ", ")
}

// sealing writes a file, counts its rows, and seals it at the end.
type sealing struct {
	out    io.Writer
	digest hash.Hash
	tally  *tally
	done   *progress
}

func newSealing(out io.Writer, done *progress) *sealing {
	return &sealing{out: out, digest: sha256.New(), tally: newTally(), done: done}
}

func (s *sealing) Write(text []byte) (int, error) {
	_, _ = s.digest.Write(text) // neither of the two ever fails
	_, _ = s.tally.Write(text)
	s.done.bytes.Add(int64(len(text)))
	s.done.rows.Store(s.tally.total)
	return s.out.Write(text)
}

// seal writes the last two lines.
func (s *sealing) seal(is Contents) error {
	is.Rows = s.tally.rows
	line, err := json.Marshal(is)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(s, "%s%s\n", contents, line); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "%s%x\n", lastLine, s.digest.Sum(nil))
	return err
}

// unpacked returns the text of a file, which may be compressed.
func unpacked(file io.Reader) (io.Reader, error) {
	buffered := bufio.NewReader(file)
	if magic, _ := buffered.Peek(2); !bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		return buffered, nil
	}
	return gzip.NewReader(buffered)
}

// reading verifies a file while it copies the file's text.
type reading struct {
	tally  *tally
	digest hash.Hash
	said   Contents // what the file says of itself
	sealed bool     // the header is of a file with a seal
	ended  bool     // the last line was there
	last   []byte
}

// read copies the text of a file and verifies it whole. rewrite may change a line; it is not asked about lines of data. Nothing of what
// was copied may be used before read has succeeded.
func read(ctx context.Context, file io.Reader, out io.Writer, done *progress, rewrite func(line []byte) []byte) (Contents, error) {
	text, err := unpacked(file)
	if err != nil {
		return Contents{}, fmt.Errorf("the file is damaged: %w", err)
	}
	r := reading{tally: newTally(), digest: sha256.New()}
	lines := bufio.NewReaderSize(text, 1<<16)
	for first, begins := true, true; ; first = false {
		if err := ctx.Err(); err != nil {
			return Contents{}, err
		}
		line, err := lines.ReadSlice('\n')
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
			return Contents{}, fmt.Errorf("the file is damaged: %w", err)
		}
		if first {
			if err := r.begin(line); err != nil {
				return Contents{}, err
			}
		}
		comment := begins && !r.tally.inside()
		if len(line) > 0 {
			if err := r.take(line, comment); err != nil {
				return Contents{}, err
			}
			done.bytes.Add(int64(len(line)))
			done.rows.Store(r.tally.total)
			if comment && rewrite != nil {
				line = rewrite(line)
			}
			if _, err := out.Write(line); err != nil {
				return Contents{}, err
			}
		}
		if errors.Is(err, io.EOF) {
			return r.end()
		}
		begins = err == nil
	}
}

func (r *reading) begin(line []byte) error {
	text := string(line)
	of, sealed := strings.CutPrefix(text, header)
	of, old := strings.CutPrefix(of, oldHeader)
	switch {
	case !sealed && !old && strings.HasPrefix(text, anyHeader):
		return errors.New("this backup has a form that this release does not know")
	case !sealed && !old:
		return errors.New("this is not a backup of OMS")
	}
	engine, made, _ := strings.Cut(strings.TrimSpace(of), ", ")
	r.sealed, r.said.Engine = sealed, dbpair.Engine(engine)
	r.said.Made, _ = time.Parse(time.RFC3339, made)
	return nil
}

// take reads a part of a line, which is the whole one if the line is short.
func (r *reading) take(line []byte, comment bool) error {
	if r.ended {
		return errors.New("the backup has ended, but the file goes on: it is two files in one, or was written to later")
	}
	r.last = append(r.last[:0], line...)
	if sum, is := bytes.CutPrefix(line, []byte(lastLine)); is && comment && r.sealed {
		r.ended = true
		if string(bytes.TrimSpace(sum)) != hex.EncodeToString(r.digest.Sum(nil)) {
			return errors.New("the SHA-256 of the file is not the one that its last line says: the file was cut or changed")
		}
		return nil
	}
	_, _ = r.digest.Write(line) // neither of the two ever fails
	_, _ = r.tally.Write(line)
	if text, is := bytes.CutPrefix(line, []byte(contents)); is && comment && r.sealed {
		if err := json.Unmarshal(text, &r.said); err != nil {
			return fmt.Errorf("the line that says what is in the file is damaged: %w", err)
		}
	}
	return nil
}

func (r *reading) end() (Contents, error) {
	for schema := range r.tally.schemas {
		if !slices.Contains(schemas, schema) {
			return Contents{}, fmt.Errorf("the file holds the schema %s, which is none of OMS", schema)
		}
	}
	switch {
	case r.sealed && !r.ended, !r.sealed && string(r.last) != dbpair.DumpEnd:
		return Contents{}, errors.New("the end of the backup is missing")
	case r.tally.headers > 1:
		return Contents{}, errors.New("the file is two backups in one")
	}
	if other := difference(r.tally.rows, r.said.Rows); r.sealed && other != "" {
		return Contents{}, fmt.Errorf("the file does not hold what it says: %s", other)
	}
	r.said.Rows, r.said.Sealed = r.tally.rows, r.sealed
	return r.said, nil
}

// readFile is read for a file with a name.
func readFile(ctx context.Context, path string, out io.Writer, done *progress, rewrite func(line []byte) []byte) (Contents, error) {
	file, err := os.Open(path) // #nosec G304 -- the operator names it
	if err != nil {
		return Contents{}, err
	}
	defer file.Close() //nolint:errcheck // only read from
	found, err := read(ctx, file, out, done, rewrite)
	if err != nil {
		return Contents{}, fmt.Errorf("%s: %w", path, err)
	}
	return found, nil
}
