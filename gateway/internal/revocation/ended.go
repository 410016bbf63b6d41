package revocation

// ended says that all sessions of a member up to an id have ended, but for one.
type ended struct {
	throughSession uint64
	exceptSession  uint64 // 0 for none
	until          uint32 // Unix seconds
}

func (e ended) expires() uint32 { return e.until }

func (e ended) covers(session uint64) bool {
	return session <= e.throughSession && session != e.exceptSession
}

// join returns what covers exactly the sessions that a or b covers, so that a member needs one entry however often its
// sessions were ended. Ids only grow, so it never covers a session that began later.
func join(a, b ended) ended {
	if a.throughSession > b.throughSession {
		a, b = b, a
	}
	// Now b reaches at least as far, and the one session that may be left is the one that b spared.
	joined := ended{b.throughSession, b.exceptSession, max(a.until, b.until)}
	if a.covers(b.exceptSession) {
		joined.exceptSession = 0
	}
	return joined
}
