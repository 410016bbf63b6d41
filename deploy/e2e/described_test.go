package e2e

import (
	"errors"
	"fmt"
	"net/http"
	"sync"

	"oms.internal/deploy/internal/described"
	api "oms.internal/gateway"
)

// description is the API as it is described. Every answer that the tests of this package get is held to it.
var description = func() *described.Description {
	read, err := described.Read(api.Description)
	if err != nil {
		panic(err)
	}
	return read
}()

// checked makes an answer that is against the description an error for who asked, and lets the whole run fail for it, because some tests
// do not mind errors.
func checked(transport http.RoundTripper) http.RoundTripper {
	return described.Transport{Next: transport, Description: description, Report: undescribed.add}
}

// undescribed are the answers that were against the description.
var undescribed answersAgainst

type answersAgainst struct {
	mutex sync.Mutex
	first []error
	count int
}

func (a *answersAgainst) add(err error) {
	const told = 10
	a.mutex.Lock()
	defer a.mutex.Unlock()
	if a.count++; a.count <= told {
		a.first = append(a.first, err)
	}
}

func (a *answersAgainst) err() error {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	if a.count == 0 {
		return nil
	}
	return fmt.Errorf("%d answers were against the description, the first ones:\n%w", a.count, errors.Join(a.first...))
}
