package dbpair

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"oms.internal/servers/proc"
)

// DumpEnd is the last line of a complete dump.
const DumpEnd = "-- End of the dump.\n"

// dumpArguments make a dump of all schemas at one moment, without stopping writers.
var dumpArguments = []string{
	"--single-transaction", "--quick", "--routines", "--triggers", "--events", "--hex-blob", "--default-character-set=utf8mb4",
	"--add-drop-database", "--databases",
}

// Dump writes schemas of the primary as SQL, as they are at one moment. A comment near the beginning holds the GTID position of that
// moment. If MariaDB's dump program is missing, Dump installs it.
func (p *Pair) Dump(ctx context.Context, out io.Writer, schemas ...string) error {
	_, err := p.dump(ctx, out, false, schemas)
	return err
}

// dump also returns the position, if it is MariaDB's. With forReplica, MySQL's dump sets its position on the server that loads it.
func (p *Pair) dump(ctx context.Context, out io.Writer, forReplica bool, schemas []string) (position string, err error) {
	program, arguments := "mysqldump", []string{"--no-tablespaces", "--set-gtid-purged=COMMENTED"}
	if forReplica {
		arguments[1] = "--set-gtid-purged=ON"
	}
	if p.Engine() == MariaDB {
		if err := installDump(ctx, func(step string) { p.say("%s", step) }); err != nil {
			return "", err
		}
		program, arguments = "mariadb-dump", []string{"--master-data=2", "--gtid"}
	}
	arguments = append(append(arguments, dumpArguments...), schemas...)
	dumped, dumping := io.Pipe()
	result := make(chan error, 1)
	go func() {
		err := p.Primary.runClient(ctx, nil, dumping, program, arguments...)
		_ = dumping.CloseWithError(err)
		result <- err
	}()
	position, err = arrange(dumped, out, forReplica)
	_ = dumped.CloseWithError(errors.Join(err, io.ErrClosedPipe))
	return position, errors.Join(err, <-result)
}

var mariadbPosition = regexp.MustCompile(`SET GLOBAL gtid_slave_pos='([^']*)'`)

// arrange copies a dump and moves the heartbeats to its end. Readers judge by the heartbeat what a server has applied, so it must not
// be there before the rest is. A dump that is not for a replica is loaded through the server's binary log, so arrange
// leaves out the statement that would bypass it. arrange returns the position that MariaDB's dumps hold.
func arrange(dump io.Reader, out io.Writer, forReplica bool) (position string, err error) {
	var last strings.Builder
	heartbeat := false
	lines := bufio.NewReaderSize(dump, 1<<16)
	for {
		line, readErr := lines.ReadString('\n')
		if match := mariadbPosition.FindStringSubmatch(line); match != nil && position == "" {
			position = match[1]
		}
		switch {
		case strings.HasPrefix(line, "USE `"):
			last.WriteString(line)
		case strings.HasPrefix(line, "-- Table structure for table "):
			heartbeat = strings.HasPrefix(line, "-- Table structure for table `heartbeat`")
		case strings.HasPrefix(line, "-- Dumping events "), strings.HasPrefix(line, "-- Current Database"),
			strings.HasPrefix(line, "/*!40103 SET TIME_ZONE=@OLD"):
			heartbeat = false
		case !forReplica && strings.HasPrefix(line, "SET @@SESSION.SQL_LOG_BIN="):
			line = ""
		}
		if heartbeat {
			last.WriteString(line)
		} else if _, err := io.WriteString(out, line); err != nil {
			return "", err
		}
		if errors.Is(readErr, io.EOF) {
			_, err = io.WriteString(out, last.String()+DumpEnd)
			return position, err
		}
		if readErr != nil {
			return "", readErr
		}
	}
}

// Load executes SQL, such as a dump, as root.
func (s *Server) Load(ctx context.Context, in io.Reader) error {
	program := "mysql"
	if _, isMariaDB := s.instance.(*mariadbProcess); isMariaDB {
		program = "mariadb"
	}
	return s.runClient(ctx, in, io.Discard, program, "--default-character-set=utf8mb4")
}

// runClient runs a program of the engine as root, and waits for its end.
func (s *Server) runClient(ctx context.Context, in io.Reader, out io.Writer, program string, arguments ...string) error {
	command, err := s.client(ctx, program, arguments...)
	if err != nil {
		return err
	}
	var problems bytes.Buffer
	command.Env = append(os.Environ(), "MYSQL_PWD="+s.rootPassword)
	command.Stdin, command.Stdout, command.Stderr = in, out, &problems
	err = command.Run()
	said := complaint(problems.Bytes())
	switch {
	case err == nil:
		return nil
	case fullDisk.MatchString(said):
		return fmt.Errorf("the disk of %s is full: %s: %s", s, program, said)
	case said == "":
		return fmt.Errorf("%s: %w", program, err)
	}
	return fmt.Errorf("%s: %s (%w)", program, said, err)
}

// complaint is what a program says of its failure, in one line. MariaDB's client prints the whole statement before the error, and a
// statement may be a thousand rows of people's data.
func complaint(problems []byte) string {
	said := "\n" + string(proc.LastLines(problems, 10))
	if at := strings.LastIndex(said, "\nERROR "); at >= 0 {
		said = said[at:]
	}
	return strings.ReplaceAll(said[1:], "\n", "; ")
}

// fullDisk recognizes what the programs print when their server has no space left: the number of the server's error, or the system's.
var fullDisk = regexp.MustCompile(`ERROR (3|1021|1026|1114|3675) |[Ee]rr(no|code): 28\b|No space left on device`)

// copyData loads a dump of the primary into the replica, without writing to the replica's binary log. It returns the position that a
// dump of MariaDB holds; a dump of MySQL sets its position itself.
func (p *Pair) copyData(ctx context.Context, schemas []string) (position string, err error) {
	loaded, loading := io.Pipe()
	result := make(chan error, 1)
	go func() {
		err := p.Replica.Load(ctx, loaded)
		_ = loaded.CloseWithError(errors.Join(err, io.ErrClosedPipe))
		result <- err
	}()
	if _, err = io.WriteString(loading, unlogged+";\n"); err == nil {
		position, err = p.dump(ctx, loading, true, schemas)
	}
	_ = loading.CloseWithError(err)
	return strings.TrimSpace(position), errors.Join(err, <-result)
}
