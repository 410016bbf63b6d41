package password_test

import (
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/password"
)

const secret = "Jhlee'spwd0"

func newHasher(t testing.TB) *password.Hasher {
	t.Helper()
	hasher, err := password.NewHasher()
	require.NoError(t, err)
	return hasher
}

func hash(t testing.TB, hasher *password.Hasher, text string) string {
	t.Helper()
	hashed, err := hasher.Hash(t.Context(), text)
	require.NoError(t, err)
	return hashed
}

// phcForm is the PHC string format with the parameters of OWASP's Password Storage Cheat Sheet, a salt of 16 bytes and a
// key of 32.
var phcForm = regexp.MustCompile(`^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$`)

func TestAPasswordBelongsToItsHashAndToNoOther(t *testing.T) {
	t.Parallel()
	hasher := newHasher(t)
	for _, text := range []string{secret, "비밀번호 🍤 Aa1!", "", strings.Repeat("a", 10_000), "\x00"} {
		hashed := hash(t, hasher, text)
		require.Regexp(t, phcForm, hashed)

		ok, outdated, err := hasher.Verify(t.Context(), hashed, text)
		require.NoError(t, err)
		require.True(t, ok)
		require.False(t, outdated)

		for _, wrong := range []string{text + "x", strings.ToUpper(text) + " "} {
			ok, outdated, err := hasher.Verify(t.Context(), hashed, wrong)
			require.NoError(t, err)
			require.False(t, ok, "%q belongs to the hash of %q", wrong, text)
			require.False(t, outdated)
		}
	}
}

// nfd is a password as macOS sends it, and nfc as others do.
const nfd, nfc = "Pa\u0301sswo\u0308rd\u00a01!", "P\u00e1ssw\u00f6rd 1!"

func TestAPasswordIsTheSameInEveryNormalForm(t *testing.T) {
	t.Parallel()
	hasher := newHasher(t)
	for _, stored := range []string{nfd, nfc} {
		hashed := hash(t, hasher, stored)
		for _, sent := range []string{nfd, nfc} {
			ok, outdated, err := hasher.Verify(t.Context(), hashed, sent)
			require.NoError(t, err)
			require.True(t, ok, "%+q for %+q", sent, stored)
			require.False(t, outdated)
		}
	}
}

func TestAHashOfThePasswordAsItWasSentVerifiesAndIsOutdated(t *testing.T) {
	t.Parallel()
	hasher := newHasher(t)
	const ofNFD = "pbkdf2_sha256$1$pepper$idPtAKSxvv3r75JftilMXv0/L/hIDjpMFAHT/d7Ifrs=" // by Python's hashlib
	for sent, belongs := range map[string]bool{nfd: true, nfc: false, nfd + "x": false} {
		ok, outdated, err := hasher.Verify(t.Context(), ofNFD, sent)
		require.NoError(t, err)
		require.Equal(t, belongs, ok, "%+q", sent)
		require.True(t, outdated)
	}
}

func TestEveryHashHasASaltOfItsOwn(t *testing.T) {
	t.Parallel()
	hasher := newHasher(t)
	first, second := strings.Split(hash(t, hasher, secret), "$"), strings.Split(hash(t, hasher, secret), "$")
	require.NotEqual(t, first[4], second[4], "salt")
	require.NotEqual(t, first[5], second[5], "key")
}

// outdatedHashes are vectors of the reference implementation (test.c of phc-winner-argon2) for the text "password".
var outdatedHashes = []string{
	"$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
	"$argon2id$v=19$m=65536,t=1,p=1$c29tZXNhbHQ$9qWtwbpyPd3vm1rB1GThgPzZ3/ydHL92zKL+15XZypg",
	"$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
	"$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc",
}

func TestAHashWithOtherParametersVerifiesAndIsOutdated(t *testing.T) {
	t.Parallel()
	hasher := newHasher(t)
	for _, hashed := range outdatedHashes {
		for text, belongs := range map[string]bool{"password": true, "Password": false} {
			ok, outdated, err := hasher.Verify(t.Context(), hashed, text)
			require.NoError(t, err, hashed)
			require.Equal(t, belongs, ok, hashed)
			require.True(t, outdated, hashed)
		}
	}
}

func TestTheEmptyHashBelongsToNoPassword(t *testing.T) {
	t.Parallel()
	hasher := newHasher(t)
	for _, text := range []string{"", secret, "$"} {
		ok, outdated, err := hasher.Verify(t.Context(), "", text)
		require.NoError(t, err)
		require.False(t, ok, "%q", text)
		require.False(t, outdated)
	}
}

// The memory that a check takes shows whether it computed a hash: it does not depend on how busy the machine is.
func TestTheEmptyHashCostsAsMuchAsAnyOther(t *testing.T) { //nolint:paralleltest // it measures the whole process
	hasher := newHasher(t)
	hashed := hash(t, hasher, secret)
	cost := func(against, sent string) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _, err := hasher.Verify(t.Context(), against, sent)
		require.NoError(t, err)
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	const oneHash = 19 << 20
	for sent, hashes := range map[string]uint64{"Wrong'pwd00": 1, nfd: 2} {
		known, unknown := cost(hashed, sent), cost("", sent)
		require.GreaterOrEqual(t, known, hashes*oneHash)
		require.Less(t, known, (hashes+1)*oneHash)
		require.InDelta(t, known, unknown, oneHash/10, "%+q", sent)
	}
}
