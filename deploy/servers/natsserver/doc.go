// Package natsserver builds, starts and stops NATS servers on this machine. A detached server outlives the command that started
// it, as the native stack needs; any other ends with its process, as tests need. The version is pinned in this module's go.mod.
//
// It knows nothing of OMS's users and subjects: a caller brings the configuration.
package natsserver
