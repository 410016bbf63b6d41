package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"oms.internal/libs/version"
)

const probeTimeout = 2 * time.Second

// NewMetrics returns a registry with what every process tells of itself, and more.
func NewMetrics(more ...prometheus.Collector) *prometheus.Registry {
	metrics := prometheus.NewRegistry()
	metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), buildInfo())
	metrics.MustRegister(more...)
	return metrics
}

// buildInfo is 1, with the build in its labels.
func buildInfo() prometheus.Collector {
	build := version.Get()
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "build_info", Help: "The build that runs.",
		ConstLabels: prometheus.Labels{"version": build.Version, "revision": build.Revision, "goversion": build.Go},
	}, func() float64 { return 1 })
}

// Admin returns the part that serves /livez, /readyz and /metrics on listener. It belongs first into a Lifecycle, so that
// it answers until the last part has ended.
func (l *Lifecycle) Admin(listener net.Listener, metrics prometheus.Gatherer) Part {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, "alive") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if err := l.Ready(); err != nil {
			answer(w, http.StatusServiceUnavailable, err.Error())
			return
		}
		if err := l.Healthy(); err != nil {
			answer(w, http.StatusOK, "ready, but degraded\n"+err.Error())
			return
		}
		answer(w, http.StatusOK, "ready")
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(metrics, promhttp.HandlerOpts{}))
	server := &http.Server{Handler: mux, ReadTimeout: probeTimeout, WriteTimeout: 10 * time.Second}
	return Part{Name: "admin", Run: func(ctx context.Context) error {
		stop := context.AfterFunc(ctx, func() { _ = server.Close() })
		defer stop()
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	}}
}

func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = fmt.Fprintln(w, text)
}

// Health probes the admin port that the variable ADMIN_ADDR of an environment names, or else that at otherwise. It reads no
// other setting, so that a health check needs no secrets.
func Health(ctx context.Context, environ []string, otherwise string, out io.Writer) error {
	for _, variable := range environ {
		if value, found := strings.CutPrefix(variable, "ADMIN_ADDR="); found && value != "" {
			return Probe(ctx, value, out)
		}
	}
	return Probe(ctx, otherwise, out)
}

// Probe asks the admin port at addr whether its process is ready and writes what it says of itself to out. It is the health
// check of a container that holds nothing but the binary.
func Probe(ctx context.Context, addr string, out io.Writer) error {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("admin address: %w", err)
	}
	if host == "" || net.ParseIP(host).IsUnspecified() {
		host = "127.0.0.1"
	}
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/readyz", nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(out, response.Body); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("not ready: %s", response.Status)
	}
	return nil
}
