package httpx_test

import (
	"net"
	"net/http"
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/httpx"
)

// take takes the port at an address, beside one for operators that is given up at once.
func take(address string, shared bool) (*httpx.Port, error) {
	port, admin, err := httpx.TakeBoth(address, "127.0.0.1:0", shared)
	if err != nil {
		return nil, err
	}
	return port, admin.Close()
}

func connect(t *testing.T, address string) error {
	t.Helper()
	connection, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	if err == nil {
		require.NoError(t, connection.Close())
	}
	return err
}

func TestATakenPortRefusesConnectionsUntilItIsListenedAt(t *testing.T) {
	t.Parallel()
	for name, address := range map[string]string{
		"IPv4": "127.0.0.1:0", "a name": "localhost:0", "any address of IPv4": "0.0.0.0:0", "any address": ":0",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			port, err := take(address, false)
			require.NoError(t, err)
			local := "127.0.0.1:" + strconv.Itoa(port.Addr().(*net.TCPAddr).Port)
			require.ErrorIs(t, connect(t, local), syscall.ECONNREFUSED)

			listener, err := port.Listen()
			require.NoError(t, err)
			require.NoError(t, connect(t, local), "it waits to be accepted")
			server := startOn(t, listener, nil, echo)
			require.Equal(t, "1", server.do(t, http.MethodPost, "/echo", "x").body)
		})
	}
}

func TestAPortThatSomebodyListensAtCannotBeTaken(t *testing.T) {
	t.Parallel()
	listener := listen(t)
	defer listener.Close() //nolint:errcheck // the test has ended
	_, err := take(listener.Addr().String(), false)
	require.ErrorIs(t, err, syscall.EADDRINUSE)
	require.ErrorContains(t, err, listener.Addr().String())
	for _, address := range []string{"127.0.0.1", "127.0.0.1:http-and-more", "no such host:80"} {
		_, err := take(address, false)
		require.Error(t, err, "%q", address)
	}
}

func TestOfTwoProcessesThatTakeAPortAtOnceOneListens(t *testing.T) {
	t.Parallel()
	first, err := take("127.0.0.1:0", false)
	require.NoError(t, err)
	second, err := take(first.Addr().String(), false)
	if err == nil { // Linux finds out when the second one listens
		defer second.Close() //nolint:errcheck // nothing was written
	}
	listener, listenErr := first.Listen()
	require.NoError(t, listenErr)
	defer listener.Close()
	if err == nil {
		_, err = second.Listen()
	}
	require.ErrorIs(t, err, syscall.EADDRINUSE)
}

func TestAPortThatIsGivenUpCanBeTakenAgain(t *testing.T) {
	t.Parallel()
	port, err := take("127.0.0.1:0", false)
	require.NoError(t, err)
	require.NoError(t, port.Close())
	_, err = port.Listen()
	require.Error(t, err)
	again, err := take(port.Addr().String(), false)
	require.NoError(t, err)
	require.NoError(t, again.Close())
}

func TestAProcessTakesBothItsPortsOrNone(t *testing.T) {
	t.Parallel()
	taken, free := listen(t), listen(t)
	defer taken.Close() //nolint:errcheck // the test has ended
	require.NoError(t, free.Close())
	_, _, err := httpx.TakeBoth(free.Addr().String(), taken.Addr().String(), false)
	require.ErrorContains(t, err, "ADMIN_ADDR")
	require.ErrorIs(t, err, syscall.EADDRINUSE)
	_, _, err = httpx.TakeBoth(taken.Addr().String(), free.Addr().String(), false)
	require.ErrorContains(t, err, "HTTP_ADDR")
	public, admin, err := httpx.TakeBoth(free.Addr().String(), "127.0.0.1:0", false)
	require.NoError(t, err, "the first one was given up again")
	require.NoError(t, public.Close())
	require.NoError(t, admin.Close())
}

func TestTheKernelKeepsLittleOfAConnectionThatIsNotRead(t *testing.T) {
	t.Parallel()
	port, err := take("127.0.0.1:0", false)
	require.NoError(t, err)
	listener, err := port.Listen()
	require.NoError(t, err)
	defer listener.Close()
	requireBuffers(t, listener)
}
