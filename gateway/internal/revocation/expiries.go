package revocation

// expiry says when an entry of the memory can be forgotten.
type expiry struct {
	until  int64
	id     uint64 // of a member or a session
	member bool
}

// expiries is a heap (container/heap) with the earliest expiry first.
type expiries []expiry

func (e expiries) Len() int           { return len(e) }
func (e expiries) Less(i, j int) bool { return e[i].until < e[j].until }
func (e expiries) Swap(i, j int)      { e[i], e[j] = e[j], e[i] }

// Push belongs to container/heap.
func (e *expiries) Push(added any) { *e = append(*e, added.(expiry)) } // only Memory pushes

// Pop belongs to container/heap.
func (e *expiries) Pop() any {
	last := len(*e) - 1
	removed := (*e)[last]
	*e = (*e)[:last]
	return removed
}
