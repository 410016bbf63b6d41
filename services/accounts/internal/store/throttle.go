package store

import (
	"context"
	"time"

	"oms.internal/accounts/internal/account"
	"oms.internal/accounts/internal/audit"
	"oms.internal/accounts/internal/store/sqlcgen"
)

// Standing reads how many failures there are for an attempt, in one statement.
func (s *Store) Standing(ctx context.Context, attempt account.LoginAttempt) (account.Standing, error) {
	var found account.Standing
	err := s.readLatest(ctx, func(ctx context.Context, queries *sqlcgen.Queries) (err error) {
		found, err = standing(ctx, queries, attempt)
		return err
	})
	return found, err
}

// RecordFailure counts a failure. The statements are the same whoever failed. The counters are locked before they are read, or
// failures at the same moment would not see each other and all be free. A device's is locked by the email's.
func (s *Store) RecordFailure(
	ctx context.Context, attempt account.LoginAttempt, at time.Time, judge func(account.Standing) ([]account.Failed, error), event audit.Event,
) error {
	return s.write(ctx, func(ctx context.Context, queries *sqlcgen.Queries) error {
		err := queries.LockLoginFailures(ctx, sqlcgen.LockLoginFailuresParams{
			Email: attempt.Email[:], Network: attempt.Network[:], Now: at,
		})
		if err != nil {
			return err
		}
		now, err := standing(ctx, queries, attempt)
		if err != nil {
			return err
		}
		failed, err := judge(now)
		if err != nil {
			return err
		}
		for _, counted := range failed {
			err := queries.AddLoginFailure(ctx, sqlcgen.AddLoginFailureParams{
				Subject: counted.Subject[:], Now: at, Most: counted.Most, ForgiveSeconds: int64(counted.Forgive.Seconds()),
			})
			if err != nil {
				return err
			}
		}
		return insertEvents(ctx, queries, []audit.Event{event})
	})
}

func standing(ctx context.Context, queries *sqlcgen.Queries, attempt account.LoginAttempt) (account.Standing, error) {
	rows, err := queries.ListLoginFailures(ctx, sqlcgen.ListLoginFailuresParams{
		Subjects: [][]byte{attempt.Email[:], attempt.Network[:], attempt.Device[:]},
		MemberID: attempt.MemberID, Device: attempt.Device[:],
	})
	var found account.Standing
	for _, row := range rows {
		counter := account.Counter{Failures: int(row.Failures), At: row.FailedAt}
		if row.Known == 1 {
			found.Known = true
			continue
		}
		switch account.Digest(row.Subject) {
		case attempt.Email:
			found.Email = counter
		case attempt.Network:
			found.Network = counter
		case attempt.Device:
			found.Device = counter
		}
	}
	return found, err
}

// admit judges a login once more, lets its counters start anew, and remembers its device.
func admit(ctx context.Context, queries *sqlcgen.Queries, record account.LoginRecord, now time.Time) error {
	attempt := record.Attempt
	var known bool
	if record.Judge != nil {
		before, err := standing(ctx, queries, attempt)
		if err != nil {
			return err
		}
		if err := record.Judge(before); err != nil {
			return err
		}
		known = before.Known
		if before.Email.Failures > 0 || before.Device.Failures > 0 {
			if err := queries.DeleteLoginFailures(ctx, [][]byte{attempt.Email[:], attempt.Device[:]}); err != nil {
				return err
			}
		}
	}
	err := queries.UpsertKnownDevice(ctx, sqlcgen.UpsertKnownDeviceParams{
		MemberID: attempt.MemberID, Device: attempt.Device[:], Now: now,
	})
	if err != nil || known {
		return err
	}
	return forgetOldestDevices(ctx, queries, attempt.MemberID)
}

// forgetOldestDevices makes room for a new device.
func forgetOldestDevices(ctx context.Context, queries *sqlcgen.Queries, memberID uint64) error {
	count, err := queries.CountKnownDevices(ctx, memberID)
	if err != nil || count <= account.MaxDevices {
		return err
	}
	return queries.DeleteOldestKnownDevices(ctx, sqlcgen.DeleteOldestKnownDevicesParams{
		MemberID: memberID, Limit: int32(count - account.MaxDevices),
	})
}

// DeleteLoginFailures removes counters that were not added to since before.
func (s *Store) DeleteLoginFailures(ctx context.Context, before time.Time, most int) (int, error) {
	return s.sweep(ctx, func(ctx context.Context, queries *sqlcgen.Queries) (int64, error) {
		return queries.DeleteOldLoginFailures(ctx, sqlcgen.DeleteOldLoginFailuresParams{FailedAt: before, Limit: int32(most)})
	})
}

// DeleteKnownDevices forgets devices without a login since before.
func (s *Store) DeleteKnownDevices(ctx context.Context, before time.Time, most int) (int, error) {
	return s.sweep(ctx, func(ctx context.Context, queries *sqlcgen.Queries) (int64, error) {
		return queries.DeleteOldKnownDevices(ctx, sqlcgen.DeleteOldKnownDevicesParams{LoginAt: before, Limit: int32(most)})
	})
}
