package dbpair

import (
	"crypto/rand"
	"fmt"
	"os"
	"strings"

	"oms.internal/servers/proc"
)

// Engine is a kind of database server.
type Engine string

// The engines that OMS runs on.
const (
	MariaDB Engine = "mariadb" // the system's packages, as processes
	MySQL   Engine = "mysql"   // the image mysql:9.7, as containers
)

// EngineFromEnvironment is the engine that OMS_TEST_ENGINE names, MariaDB if it is unset.
func EngineFromEnvironment() (Engine, error) {
	switch engine := Engine(os.Getenv("OMS_TEST_ENGINE")); engine {
	case "", MariaDB:
		return MariaDB, nil
	case MySQL:
		return MySQL, nil
	default:
		return "", fmt.Errorf("OMS_TEST_ENGINE is %q; it may be %q or %q", engine, MariaDB, MySQL)
	}
}

// Options say how to start a pair. The zero value is a MariaDB pair for a test.
type Options struct {
	Engine Engine // MariaDB if empty

	// Detached makes a pair that lives on after this process, with its data in Dir; starting it again finds what runs.
	// Otherwise the pair ends with this process and its data, in a new directory below Dir (the system's temporary
	// directory if empty), is removed. MySQL cannot be detached: deploy/compose.yaml is for that.
	Detached bool
	Dir      string

	PrimaryPort int // on 127.0.0.1; a free one if 0
	ReplicaPort int

	RootPassword       string // random if empty; letters and digits only
	ReplicatorPassword string

	// BufferPool is InnoDB's buffer pool, in the form of the server's configuration ("128M").
	BufferPool string

	// CertFile and KeyFile make the servers offer TLS with this certificate (PEM; absolute paths). In containers the
	// server runs as a user of its own, who must be able to read them.
	CertFile string
	KeyFile  string

	// Bootstrap is executed on the primary by root on every start, and so must be repeatable.
	Bootstrap []string

	// Report becomes the pair's.
	Report func(step string)
}

func (o Options) withDefaults() (Options, error) {
	var err error
	if o.Engine == "" {
		o.Engine = MariaDB
	}
	if o.RootPassword == "" {
		o.RootPassword = rand.Text()
	}
	if o.ReplicatorPassword == "" {
		o.ReplicatorPassword = rand.Text()
	}
	if o.BufferPool == "" {
		o.BufferPool = "32M"
	}
	for _, port := range []*int{&o.PrimaryPort, &o.ReplicaPort} {
		if *port == 0 {
			if *port, err = proc.FreePort(); err != nil {
				return o, err
			}
		}
	}
	if o.Detached && o.Engine != MariaDB {
		return o, fmt.Errorf("a detached pair must be %s", MariaDB)
	}
	if o.Detached && o.Dir == "" {
		return o, fmt.Errorf("a detached pair needs a directory")
	}
	return o, nil
}

// quote makes an SQL string literal that reads the same whatever the server's sql_mode.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }
