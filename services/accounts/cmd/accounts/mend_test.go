package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/service/servicetest"
)

func TestAProcessMendsWhatTheReleaseBeforeWroteWhileItServes(t *testing.T) {
	t.Parallel()
	p := startProcess(t)
	require.NoError(t, p.Stop())
	_, err := p.db.ExecContext(t.Context(), `INSERT INTO members (email, email_key, name, nickname, phone, password_hash, created_at)
		VALUES ('A@X.test', 'a@x.test', 'Casey', 'casey', '0212345', 'x', '2026-11-23')`)
	require.NoError(t, err)
	p.start(t)
	const whole = "SELECT COUNT(*) FROM members WHERE mailbox = 'a@x.test' AND NOT grams_due"
	require.Eventually(t, func() bool { return p.number(t, whole) == 1 }, patience, servicetest.Poll)
}
