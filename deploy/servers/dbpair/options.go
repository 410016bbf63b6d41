package dbpair

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"sync"

	"oms.internal/servers/proc"
)

// Engine is a kind of database server.
type Engine string

// The engines that OMS runs on.
const (
	MariaDB Engine = "mariadb" // the system's packages, as processes
	MySQL   Engine = "mysql"   // the image mysql:9.7, as containers
)

// EngineFromEnvironment returns the engine that OMS_TEST_ENGINE names. Unset, it is MariaDB.
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

	// Detached makes a pair that lives on after this process, with its data in Dir. A later Start finds the servers that run. A pair
	// that is not detached ends with this process. Its data lies in a new folder in Dir (the system's temporary folder if Dir is
	// empty) and is removed. MySQL cannot be detached; deploy/compose.yaml is for that.
	Detached bool
	Dir      string

	PrimaryPort int // on 127.0.0.1; 0 means a free one
	ReplicaPort int

	// Passwords hold letters and digits only. If empty, root's is one that is random for each process, the replicator's for each pair.
	RootPassword       string
	ReplicatorPassword string

	// BufferPool is the size of InnoDB's buffer pool, in the form of the server's configuration ("128M"). The default is small.
	BufferPool string

	// CertFile and KeyFile make the servers offer TLS with this certificate (PEM; absolute paths). In containers the server runs as
	// a user of its own, who must be able to read the files.
	CertFile string
	KeyFile  string

	// Bootstrap are statements that root executes on the primary on every start, so they must be repeatable.
	Bootstrap []string

	// Report becomes Pair.Report.
	Report func(step string)
}

// ownPassword is one for all pairs of the process, so that they can share what madeData makes.
var ownPassword = sync.OnceValue(rand.Text)

func (o Options) withDefaults() (Options, error) {
	var err error
	if o.Engine == "" {
		o.Engine = MariaDB
	}
	if o.RootPassword == "" {
		o.RootPassword = ownPassword()
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
		return o, errors.New("a detached pair needs a folder")
	}
	return o, nil
}
