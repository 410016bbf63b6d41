package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/store"
	"oms.internal/libs/listing"
	"oms.internal/libs/mysqlx/mysqlxtest"
)

// many is how many members these tests begin with: more than are counted each time.
const many = 600

func newLargeStore(t *testing.T) fixture {
	t.Helper()
	f := newStore(t)
	f.exec(t, "INSERT INTO members (email, email_key, name, nickname, phone, gender, password_hash, is_admin, is_active, created_at)"+
		" SELECT CONCAT(n, '@x.test'), CONCAT(n, '@x.test'), CONCAT('name', n % 7), '', '', ELT(1 + n % 3, 'M', 'F', NULL), '', n % 100 = 1, TRUE, ?"+
		" FROM "+mysqlxtest.Numbers(many)+" ORDER BY n", now)
	return f
}

// anew is another process on the schema, which remembers nothing.
func (f fixture) anew() fixture {
	f.Store = store.New(f.Cluster, time.Now)
	return f
}

func (f fixture) requireExactCount(t *testing.T) {
	t.Helper()
	page, err := f.Members(latest(t), query(3, 0))
	require.NoError(t, err)
	require.Equal(t, f.number(t, "SELECT COUNT(*) FROM members"), page.Count)
}

func TestTheRememberedCountOfMembersIsExactWhoeverComesAndGoes(t *testing.T) {
	t.Parallel()
	f := newLargeStore(t)
	remove := func(id uint64) {
		t.Helper()
		_, err := f.DeleteMember(t.Context(), id, anyVersion, ending())
		require.NoError(t, err)
	}
	f.requireExactCount(t)
	young := sungi
	young.CreatedAt = time.Now().UTC()
	member, _ := f.create(t, young)
	for _, step := range []func(){func() {}, func() { remove(7) }, func() { f.create(t, dream) }, func() { remove(member.ID) }, func() { remove(many) }} {
		step()
		f.requireExactCount(t)
		f.anew().requireExactCount(t)
	}
}

func TestFarPagesOfMembersAreThoseOfAListThatIsReadFromItsBeginning(t *testing.T) {
	t.Parallel()
	f := newLargeStore(t)
	f.requireExactCount(t)
	orderings := [][]listing.Key{nil, {{Field: "gender"}, {Field: "name", Descending: true}}}
	for field := range fieldOrder {
		orderings = append(orderings, []listing.Key{{Field: field}}, []listing.Key{{Field: field, Descending: true}})
	}
	for _, ordering := range orderings {
		for _, offset := range []int{0, many / 3, many/2 + 1, many - 30, many - 7, many, listing.MaxOffset} {
			want, err := f.anew().Members(latest(t), query(30, offset, ordering...))
			require.NoError(t, err)
			got, err := f.Members(latest(t), query(30, offset, ordering...))
			require.NoError(t, err)
			require.Equal(t, want, got, "by %v from %d", ordering, offset)
		}
	}
}
