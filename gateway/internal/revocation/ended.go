package revocation

import "math"

// ended says that all sessions of a member up to an id have ended, but for one. It has no second id of 64 bits, so that a million members
// take 27 MiB and not 33.
type ended struct {
	throughSession uint64
	spared         uint32 // how far below throughSession the one is that goes on, plus 1; 0 for none
	until          uint32 // Unix seconds
}

// newEnded returns what ends the sessions up to one id, but for another; 0 for none. A session that goes on further below than 32 bits can
// tell would end too: its member logs in again.
func newEnded(throughSession, exceptSession uint64, until uint32) ended {
	made := ended{throughSession: throughSession, until: until}
	if below := throughSession - exceptSession; exceptSession != 0 && exceptSession <= throughSession && below < math.MaxUint32 {
		made.spared = uint32(below) + 1
	}
	return made
}

// exceptSession is the session that goes on, 0 for none.
func (e ended) exceptSession() uint64 {
	if e.spared == 0 {
		return 0
	}
	return e.throughSession - uint64(e.spared-1)
}

func (e ended) expires() uint32 { return e.until }

func (e ended) covers(session uint64) bool {
	return session <= e.throughSession && session != e.exceptSession()
}

// join returns what covers exactly the sessions that a or b covers, so that a member needs one entry however often its
// sessions were ended. Ids only grow, so it never covers a session that began later.
func join(a, b ended) ended {
	if a.throughSession > b.throughSession {
		a, b = b, a
	}
	// Now b reaches at least as far, and the one session that may be left is the one that b spared.
	except := b.exceptSession()
	if a.covers(except) {
		except = 0
	}
	return newEnded(b.throughSession, except, max(a.until, b.until))
}
