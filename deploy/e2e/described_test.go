package e2e

import (
	"oms.internal/deploy/internal/described"
	api "oms.internal/gateway"
)

// description is the API as it is described.
var description = described.MustRead(api.Description)

// checks hold every answer that the tests of this package get to the description. An answer that is against it fails the run.
var checks = described.Checks{Description: description}
