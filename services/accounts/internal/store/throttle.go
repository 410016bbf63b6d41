package store

import (
	"context"
	"time"

	"oms.internal/accounts/internal/account"
	"oms.internal/accounts/internal/store/sqlcgen"
	"oms.internal/libs/audit"
)

// Standing reads how many failures there are for an attempt, in one statement.
func (s *Store) Standing(ctx context.Context, attempt account.Attempt) (account.Standing, error) {
	var found account.Standing
	err := s.readLatest(ctx, func(ctx context.Context, queries *sqlcgen.Queries) (err error) {
		found, err = standing(ctx, queries, attempt)
		return err
	})
	return found, err
}

// RecordFailure counts a failure. The statements are the same whoever failed. The counters are locked before they are read, or
// failures at the same moment would not see each other and all be free. The lock on a network's counter also protects those of its
// devices.
func (s *Store) RecordFailure(
	ctx context.Context, attempt account.Attempt, judge func(account.Standing) ([]account.Counted, error), event audit.Event,
) error {
	return s.write(ctx, func(ctx context.Context, queries *sqlcgen.Queries) error {
		locked := padded(attempt.Subjects(), account.MaxSubjects-1)
		err := queries.LockLoginFailures(ctx, sqlcgen.LockLoginFailuresParams{
			First: locked[0][:], Second: locked[1][:], Third: locked[2][:], Fourth: locked[3][:], Now: event.At,
		})
		if err != nil {
			return err
		}
		now, err := standing(ctx, queries, attempt)
		if err != nil {
			return err
		}
		failures, err := judge(now)
		if err != nil {
			return err
		}
		if err := storeFailures(ctx, queries, failures); err != nil {
			return err
		}
		return insertEvents(ctx, queries, []audit.Event{event})
	})
}

func storeFailures(ctx context.Context, queries *sqlcgen.Queries, failures []account.Counted) error {
	stored := padded(failures, account.MaxSubjects)
	return queries.StoreLoginFailures(ctx, sqlcgen.StoreLoginFailuresParams{
		Subject1: stored[0].Subject[:], Failures1: uint32(stored[0].Failures), FailedAt1: stored[0].At,
		Subject2: stored[1].Subject[:], Failures2: uint32(stored[1].Failures), FailedAt2: stored[1].At,
		Subject3: stored[2].Subject[:], Failures3: uint32(stored[2].Failures), FailedAt3: stored[2].At,
		Subject4: stored[3].Subject[:], Failures4: uint32(stored[3].Failures), FailedAt4: stored[3].At,
		Subject5: stored[4].Subject[:], Failures5: uint32(stored[4].Failures), FailedAt5: stored[4].At,
	})
}

// padded repeats the last value, because a statement has a fixed number of them.
func padded[Value any](values []Value, length int) []Value {
	for len(values) < length {
		values = append(values, values[len(values)-1])
	}
	return values
}

func standing(ctx context.Context, queries *sqlcgen.Queries, attempt account.Attempt) (account.Standing, error) {
	subjects := [][]byte{attempt.Device[:]}
	for _, subject := range attempt.Subjects() {
		subjects = append(subjects, subject[:])
	}
	rows, err := queries.ListLoginFailures(ctx, sqlcgen.ListLoginFailuresParams{
		Subjects: subjects, MemberID: attempt.MemberID, Device: attempt.Device[:],
	})
	found := account.Standing{Counters: map[account.Digest]account.Counter{}}
	for _, row := range rows {
		if row.Known == 1 {
			found.Known = true
			continue
		}
		found.Counters[account.Digest(row.Subject)] = account.Counter{Failures: int(row.Failures), At: row.FailedAt}
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
		if err := forgetFailures(ctx, queries, attempt, before); err != nil {
			return err
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

// forgetFailures removes the counters that are the attempt's own, if there are any.
func forgetFailures(ctx context.Context, queries *sqlcgen.Queries, attempt account.Attempt, before account.Standing) error {
	var own [][]byte
	for _, subject := range attempt.Own() {
		if before.Counters[subject].Failures > 0 {
			own = append(own, subject[:])
		}
	}
	if len(own) == 0 {
		return nil
	}
	return queries.DeleteLoginFailures(ctx, own)
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
	return s.sweep(ctx, before, (*sqlcgen.Queries).HasOldLoginFailures, func(ctx context.Context, queries *sqlcgen.Queries) (int64, error) {
		return queries.DeleteOldLoginFailures(ctx, sqlcgen.DeleteOldLoginFailuresParams{FailedAt: before, Limit: int32(most)})
	})
}

// DeleteKnownDevices forgets devices without a login since before.
func (s *Store) DeleteKnownDevices(ctx context.Context, before time.Time, most int) (int, error) {
	return s.sweep(ctx, before, (*sqlcgen.Queries).HasOldKnownDevices, func(ctx context.Context, queries *sqlcgen.Queries) (int64, error) {
		return queries.DeleteOldKnownDevices(ctx, sqlcgen.DeleteOldKnownDevicesParams{LoginAt: before, Limit: int32(most)})
	})
}
