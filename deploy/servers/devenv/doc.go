// Package devenv gives tests the servers that OMS stands on, real ones on this machine: pairs of database servers
// (deploy/servers/dbpair), NATS servers, and certificates for both. They die with the test. The native stack takes its NATS server from
// here, too, detached.
//
// A test that needs a server fails without it; nothing here skips or simulates. A pair is MariaDB from the system's packages,
// or MySQL in containers when the environment variable OMS_TEST_ENGINE is "mysql"; a test does not care.
//
// In a test package:
//
//	func TestMain(m *testing.M) { devenv.Main(m) }
//
//	func TestSomething(t *testing.T) {
//		pair, schema := devenv.NewSchema(t) // one pair per package, one schema per test
//		db := open(pair.Hosts(), schema.Name, schema.App.User, schema.App.Password)
//	}
package devenv
