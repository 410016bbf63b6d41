package dbpair

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"

	"oms.internal/servers/proc"
)

// dumpArguments make a dump that is one moment of all schemas without stopping writers.
var dumpArguments = []string{
	"--single-transaction", "--quick", "--routines", "--triggers", "--events", "--hex-blob", "--default-character-set=utf8mb4",
	"--add-drop-database",
}

// Dump writes schemas as SQL, as they are at one moment, with the position (GTID) of that moment in a comment near the
// beginning. Where the program for it is missing, MariaDB's is installed, and say is told.
func (s *Server) Dump(ctx context.Context, out io.Writer, say func(string), schemas ...string) error {
	return s.dump(ctx, out, say, false, schemas)
}

// dump with positioned writes the position as a statement, where the engine can.
func (s *Server) dump(ctx context.Context, out io.Writer, say func(string), positioned bool, schemas []string) error {
	program, arguments := "mysqldump", []string{"--no-tablespaces", "--set-gtid-purged=COMMENTED"}
	if positioned {
		arguments[1] = "--set-gtid-purged=ON"
	}
	if _, native := s.body.(*mariadbBody); native {
		if err := InstallMariaDBDump(ctx, say); err != nil {
			return err
		}
		program, arguments = "mariadb-dump", []string{"--master-data=2", "--gtid"}
	}
	arguments = append(append(arguments, dumpArguments...), "--databases")
	command, err := s.client(ctx, program, append(arguments, schemas...)...)
	if err != nil {
		return err
	}
	dumped, dumping := io.Pipe()
	result := make(chan error, 1)
	go func() {
		err := pipe(command, nil, dumping)
		_ = dumping.CloseWithError(err)
		result <- err
	}()
	err = arrange(dumped, out, positioned)
	_ = dumped.CloseWithError(errors.Join(err, io.ErrClosedPipe))
	return errors.Join(err, <-result)
}

// arrange puts the heartbeats of a dump at its end: what a server that is being loaded has applied is judged by them, and they
// must not be there before the rest. Unless the dump is positioned, what it loads goes into the server's log.
func arrange(dump io.Reader, out io.Writer, positioned bool) error {
	var last strings.Builder
	heartbeat := false
	lines := bufio.NewReaderSize(dump, 1<<16)
	for {
		line, err := lines.ReadString('\n')
		switch {
		case strings.HasPrefix(line, "USE `"):
			last.WriteString(line)
		case strings.HasPrefix(line, "-- Table structure for table "):
			heartbeat = strings.HasPrefix(line, "-- Table structure for table `heartbeat`")
		case strings.HasPrefix(line, "-- Dumping events "), strings.HasPrefix(line, "-- Current Database"),
			strings.HasPrefix(line, "/*!40103 SET TIME_ZONE=@OLD"):
			heartbeat = false
		case !positioned && strings.HasPrefix(line, "SET @@SESSION.SQL_LOG_BIN="):
			line = ""
		}
		if heartbeat {
			last.WriteString(line)
		} else if _, err := io.WriteString(out, line); err != nil {
			return err
		}
		if errors.Is(err, io.EOF) {
			_, err = io.WriteString(out, last.String()+DumpEnd)
			return err
		}
		if err != nil {
			return err
		}
	}
}

// DumpEnd is the last line of a dump that is whole.
const DumpEnd = "-- End of the dump.\n"

// Load executes SQL, as Dump writes it, as root.
func (s *Server) Load(ctx context.Context, in io.Reader) error {
	program := "mysql"
	if _, native := s.body.(*mariadbBody); native {
		program = "mariadb"
	}
	command, err := s.client(ctx, program, "--default-character-set=utf8mb4")
	if err != nil {
		return err
	}
	return pipe(command, in, io.Discard)
}

func (s *Server) client(ctx context.Context, program string, arguments ...string) (*exec.Cmd, error) {
	command, err := s.body.client(ctx, program, arguments...)
	if err != nil {
		return nil, err
	}
	command.Env = append(os.Environ(), "MYSQL_PWD="+s.rootPassword)
	return command, nil
}

func pipe(command *exec.Cmd, in io.Reader, out io.Writer) error {
	var problems bytes.Buffer
	command.Stdin, command.Stdout, command.Stderr = in, out, &problems
	if err := command.Run(); err != nil {
		return fmt.Errorf("%s: %w\n%s", command.Args[0], err, proc.LastLines(problems.Bytes(), 10))
	}
	return nil
}

var dumpPosition = regexp.MustCompile(`SET GLOBAL gtid_slave_pos='([^']*)'`)

// copyData loads a dump of the primary into the replica, outside of its log, and returns the position that a dump of MariaDB
// names. MySQL's sets it.
func (p *Pair) copyData(ctx context.Context, schemas []string) (position string, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	dumped, dumping := io.Pipe()
	loaded, loading := io.Pipe()
	results := make(chan error, 2)
	go func() {
		err := p.Primary.dump(ctx, dumping, p.Report, true, schemas)
		_ = dumping.CloseWithError(err)
		results <- err
	}()
	go func() {
		err := p.Replica.Load(ctx, loaded)
		_ = loaded.CloseWithError(errors.Join(err, io.ErrClosedPipe))
		results <- err
	}()
	_, err = io.WriteString(loading, "SET SESSION sql_log_bin = 0;\n")
	lines := bufio.NewReaderSize(dumped, 1<<16)
	for err == nil {
		var line string
		if line, err = lines.ReadString('\n'); line != "" {
			if match := dumpPosition.FindStringSubmatch(line); match != nil && position == "" {
				position = match[1]
			}
			if _, writeErr := io.WriteString(loading, line); writeErr != nil {
				err = writeErr
			}
		}
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	_ = loading.CloseWithError(err)
	_ = dumped.CloseWithError(errors.Join(err, io.ErrClosedPipe))
	return strings.TrimSpace(position), errors.Join(err, <-results, <-results)
}
