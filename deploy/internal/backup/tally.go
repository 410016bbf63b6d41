package backup

import "bytes"

// tally reads SQL as the engines' dump programs write it, and counts the rows of each table. It may be given a text in pieces of any
// size.
type tally struct {
	// rows are counted by table ("accounts.members"). A table without rows is there, too.
	rows map[string]int64
	// schemas are those that the text uses.
	schemas map[string]bool
	// headers is how many files the text begins: more than one were glued together.
	headers int
	total   int64

	schema  string
	table   string
	reading int
	head    []byte // the beginning of a line, until it is known what the line is
	depth   int    // of parentheses in an INSERT
	values  bool   // the rows of the INSERT have begun
	quote   byte   // what ends the quoted text that is being read, or 0
	escaped bool
}

// What a tally is reading.
const (
	aHead = iota
	anInsert
	otherLine
)

// longestHead is longer than every line that means something here, but for an INSERT, which shows its table before.
const longestHead = 512

func newTally() *tally { return &tally{rows: map[string]int64{}, schemas: map[string]bool{}} }

// inside reports whether a statement that may hold any text is being read.
func (t *tally) inside() bool { return t.reading == anInsert }

// Write counts. It never fails.
func (t *tally) Write(text []byte) (int, error) {
	for rest := text; len(rest) > 0; {
		switch t.reading {
		case otherLine:
			end := bytes.IndexByte(rest, '\n')
			if end < 0 {
				return len(text), nil
			}
			rest = rest[end+1:]
			t.reading = aHead
		case aHead:
			t.readHead(rest[0])
			rest = rest[1:]
		case anInsert:
			t.readInsert(rest[0])
			rest = rest[1:]
		}
	}
	return len(text), nil
}

func (t *tally) readHead(char byte) {
	t.head = append(t.head, char)
	name, ended := between(t.head, "INSERT INTO `", "`")
	switch {
	case ended:
		t.table = t.schema + "." + name
		t.reading, t.depth, t.values, t.quote, t.escaped = anInsert, 0, false, 0, false
	case char == '\n':
		t.endLine()
	case len(t.head) < longestHead:
		return
	default:
		t.reading = otherLine
	}
	t.head = t.head[:0]
}

func (t *tally) endLine() {
	if name, found := between(t.head, "USE `", "`"); found {
		t.schema = name
		t.schemas[name] = true
	}
	if name, found := between(t.head, "CREATE TABLE `", "`"); found {
		t.rows[t.schema+"."+name] += 0
	}
	if bytes.HasPrefix(t.head, []byte(anyHeader)) {
		t.headers++
	}
}

// readInsert reads one character of: INSERT INTO `table` (columns) VALUES (row),(row);
func (t *tally) readInsert(char byte) {
	switch {
	case t.escaped:
		t.escaped = false
	case t.quote != 0:
		t.escaped = char == '\\' && t.quote != '`'
		if char == t.quote {
			t.quote = 0
		}
	case char == '\'' || char == '"' || char == '`':
		t.quote = char
	case char == '(':
		if t.depth == 0 && t.values {
			t.rows[t.table]++
			t.total++
		}
		t.depth++
	case char == ')':
		t.depth--
	case char == 'V' && t.depth == 0:
		t.values = true
	case char == ';' && t.depth == 0:
		t.reading = otherLine
	}
}

// between returns what follows a line's first text, up to the last one.
func between(line []byte, first, last string) (name string, found bool) {
	rest, found := bytes.CutPrefix(line, []byte(first))
	if !found {
		return "", false
	}
	inner, _, found := bytes.Cut(rest, []byte(last))
	return string(inner), found
}
