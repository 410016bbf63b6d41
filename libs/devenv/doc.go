// Package devenv runs the servers that OMS stands on, on this machine: pairs of database servers (a primary and a
// read-only replica) and NATS servers. Tests run them as children that die with the test; `make up` without Docker
// runs them detached, to outlive the command that started them.
//
// The servers are real and set up as in production: GTID, row binlog, full durability, semi-synchronous replication running,
// passwords set; and they change roles as in production: Failover and Rejoin of a pair are what `make failover` and `make
// rejoin` do. A test that needs one fails without it; nothing here skips or simulates. A pair is MariaDB from the system's
// packages, or MySQL in containers when the environment variable OMS_TEST_ENGINE is "mysql"; the Go face of both is the
// same, so that a test does not care.
//
// In a test package:
//
//	func TestMain(m *testing.M) { devenv.Main(m) }
//
//	func TestSomething(t *testing.T) {
//		pair, schema := devenv.NewSchema(t) // one pair per package, one schema per test
//		db := open(pair.Hosts(), schema.Name, schema.App.User, schema.App.Password)
//	}
//
// It must not import other packages of libs: they are tested with it.
package devenv
