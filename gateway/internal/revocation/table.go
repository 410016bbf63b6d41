package revocation

import "slices"

// shards is how many parts a table has. One is small enough to be moved or swept while a request waits: 4,000 of a million.
const shards = 256

// entry is what a table remembers of an id.
type entry interface{ expires() uint32 } // Unix seconds, which last until 2106

// table remembers entries by ids, in sorted slices: a million ended sessions take 14 MiB, a third of what a map and a queue of
// their expiries would take. Ids grow, so a new one is nearly always put at the end.
type table[E entry] struct {
	parts [shards]part[E]
	count int
	sweep int // the part to be swept next
}

type part[E entry] struct {
	ids     []uint64
	entries []E
}

// partOf spreads ids evenly, however they follow each other (Knuth's multiplicative hashing).
func (t *table[E]) partOf(id uint64) *part[E] { return &t.parts[id*0x9E3779B97F4A7C15>>56] }

func (t *table[E]) get(id uint64) (found E, ok bool) {
	part := t.partOf(id)
	at, ok := slices.BinarySearch(part.ids, id)
	if ok {
		found = part.entries[at]
	}
	return found, ok
}

func (t *table[E]) put(id uint64, added E) {
	part := t.partOf(id)
	at, found := slices.BinarySearch(part.ids, id)
	if found {
		part.entries[at] = added
		return
	}
	part.ids, part.entries = slices.Insert(withRoom(part.ids), at, id), slices.Insert(withRoom(part.entries), at, added)
	t.count++
}

// withRoom returns a slice with room for one more. It grows by a sixteenth, where append would leave up to a quarter unused.
func withRoom[T any](full []T) []T {
	if len(full) < cap(full) {
		return full
	}
	return append(make([]T, 0, len(full)+len(full)/16+4), full...)
}

// forget removes what is over from one part, the next one at each call.
func (t *table[E]) forget(now uint32) {
	part := &t.parts[t.sweep]
	t.sweep = (t.sweep + 1) % shards
	kept := 0
	for i, each := range part.entries {
		if each.expires() > now {
			part.ids[kept], part.entries[kept] = part.ids[i], each
			kept++
		}
	}
	t.count -= len(part.ids) - kept
	part.ids, part.entries = part.ids[:kept], part.entries[:kept]
	if kept < cap(part.ids)/2 {
		part.ids, part.entries = slices.Clone(part.ids), slices.Clone(part.entries)
	}
}
