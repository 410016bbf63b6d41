// Package drf is what the imports from a database of drf-oms have in common: one consistent look at the source, what is new, changed or
// gone there since the last run, and the way of these differences into our tables, batch by batch.
//
// It guarantees that a run which ends anywhere, even by kill -9, only has to be run again. There is no checkpoint besides the data: the
// table drf_imports says of each row that was taken how the source had it then, and how it was left here. So a run takes
// what differs, and nothing twice.
//
// The source is read in a transaction that is read-only and locks nothing. It lasts only while the source is read, because as long it
// keeps InnoDB from removing what others change meanwhile. The differences go into a file without a name (spool), from which they
// are written here once the source is released.
package drf
