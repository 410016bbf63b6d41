// Package testservers gives tests real servers on this machine: pairs of database servers (package dbpair), NATS servers
// (package natsserver), and certificates for both. They end with the test. A test fails where its server does not start; nothing
// here is skipped or simulated.
//
// A pair is MariaDB from the system's packages, or MySQL in containers when the environment variable OMS_TEST_ENGINE is "mysql".
// Tests do not need to know which.
//
// In a test package:
//
//	func TestMain(m *testing.M) { testservers.Main(m) }
//
//	func TestSomething(t *testing.T) {
//		pair, schema := testservers.NewSchema(t) // one pair per package, one schema per test
//		db := open(pair.Hosts(), schema.Name, schema.App.User, schema.App.Password)
//	}
//
// Only tests may import it.
package testservers
