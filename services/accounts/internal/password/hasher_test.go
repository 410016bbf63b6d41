package password_test

import (
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
	"oms.internal/accounts/internal/password"
)

const secret, home = "Jhlee'spwd0", "192.0.2.0/24"

func hash(t testing.TB, hasher *password.Hasher, text string) string {
	t.Helper()
	hashed, err := hasher.Hash(t.Context(), home, text)
	require.NoError(t, err)
	return hashed
}

// nfd is a password as macOS sends it, and nfc as others do.
const nfd, nfc = "Pa\u0301sswo\u0308rd\u00a01!", "P\u00e1ssw\u00f6rd 1!"

// phcForm is the PHC string format with the parameters of OWASP's Password Storage Cheat Sheet, a salt of 16 bytes and a
// key of 32.
var phcForm = regexp.MustCompile(`^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$`)

func TestAPasswordBelongsToItsHashInEveryNormalFormAndToNoOther(t *testing.T) {
	t.Parallel()
	hasher := password.NewHasher()
	for text, others := range map[string][]string{
		secret: {secret + "x", strings.ToUpper(secret)}, "비밀번호 🍤 Aa1!": {"비밀번호 Aa1!"}, "": {" "}, "\x00": {""},
		strings.Repeat("a", 10_000): {strings.Repeat("a", 9_999)}, nfd: {nfc, nfd + "x"}, nfc: {nfd},
	} {
		hashed := hash(t, hasher, text)
		require.Regexp(t, phcForm, hashed)
		for _, sent := range append(others, text) {
			ok, outdated, err := hasher.Verify(t.Context(), home, hashed, sent)
			require.NoError(t, err)
			require.Equal(t, account.NormalPassword(sent) == account.NormalPassword(text), ok, "%+q for the hash of %+q", sent, text)
			require.False(t, outdated)
		}
	}
}

func TestEveryHashHasASaltOfItsOwn(t *testing.T) {
	t.Parallel()
	hasher := password.NewHasher()
	first, second := strings.Split(hash(t, hasher, secret), "$"), strings.Split(hash(t, hasher, secret), "$")
	require.NotEqual(t, first[4], second[4], "salt")
	require.NotEqual(t, first[5], second[5], "key")
}

// oldHashes are those of other parameters and other programs.
var oldHashes = []struct{ hashed, text, wrong string }{
	// The vectors of Django's own tests (tests/auth_tests/test_hashers.py of 3.2 and 2.0).
	{"pbkdf2_sha256$260000$seasalt$YlZ2Vggtqdc61YjArZuoApoBh9JNGYoDRBUGu6tcJQo=", "lètmein", "lètmein "},
	{"pbkdf2_sha256$100000$seasalt$BNZ6eyaNc8qFTJPjrAq99hSYb73EgAdytAtdBg2Sdcc=", "lètmein", ""},
	// By Python's hashlib.pbkdf2_hmac. The second is of the text as it was sent, not of its normal form.
	{"pbkdf2_sha256$1$pepper$1nAnYRHf9fYRT5Bw0hO7K7m8wkd4Oh9qjjyqGNaTnrc=", secret, secret + " "},
	{"pbkdf2_sha256$1$pepper$idPtAKSxvv3r75JftilMXv0/L/hIDjpMFAHT/d7Ifrs=", nfd, nfc},
	// The vectors of argon2's reference implementation (test.c of phc-winner-argon2).
	{"$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", "password", "Password"},
	{"$argon2id$v=19$m=65536,t=1,p=1$c29tZXNhbHQ$9qWtwbpyPd3vm1rB1GThgPzZ3/ydHL92zKL+15XZypg", "password", "Password"},
	{"$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4", "password", "Password"},
	{"$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc", "password", "Password"},
}

func TestAnOldHashVerifiesAndIsOutdated(t *testing.T) {
	t.Parallel()
	hasher := password.NewHasher()
	for _, old := range oldHashes {
		for _, sent := range []string{old.text, old.wrong} {
			ok, outdated, err := hasher.Verify(t.Context(), home, old.hashed, sent)
			require.NoError(t, err, old.hashed)
			require.Equal(t, sent == old.text, ok, "%+q for %s", sent, old.hashed)
			require.True(t, outdated, old.hashed)
		}
	}
}

func TestTheEmptyHashBelongsToNoPassword(t *testing.T) {
	t.Parallel()
	hasher := password.NewHasher()
	for _, text := range []string{"", secret, "$"} {
		ok, outdated, err := hasher.Verify(t.Context(), home, "", text)
		require.NoError(t, err)
		require.False(t, ok, "%q", text)
		require.False(t, outdated)
	}
}

// The memory that a check takes shows whether it computed a hash: it does not depend on how busy the machine is.
func TestTheEmptyHashCostsAsMuchAsAnyOther(t *testing.T) { //nolint:paralleltest // it measures the whole process
	hasher := password.NewHasher()
	hashed := hash(t, hasher, secret)
	cost := func(against, sent string) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _, err := hasher.Verify(t.Context(), home, against, sent)
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
