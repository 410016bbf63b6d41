// Package wire shows what the accounts service knows as other processes read it.
package wire

import (
	"oms.internal/accounts/internal/account"
	"oms.internal/libs/contracts/accounts"
)

// Revocations returns the revocations as a message.
func Revocations(revocations []account.Revocation) accounts.Revocations {
	message := accounts.Revocations{Revocations: make([]accounts.Revocation, len(revocations))}
	for i, revocation := range revocations {
		message.Revocations[i] = accounts.Revocation(revocation)
	}
	return message
}
