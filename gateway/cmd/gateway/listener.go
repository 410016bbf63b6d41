package main

import (
	"crypto/tls"
	"fmt"
	"net"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"oms.internal/gateway/internal/limit"
	"oms.internal/libs/httpx"
)

// clientListener is the public listener with a limit of its connections and, where it is configured, with TLS.
func clientListener(cfg Config, public net.Listener, metrics prometheus.Registerer, now func() time.Time) (net.Listener, error) {
	limited := limit.Connections(public, limit.ConnectionOptions{
		Total: httpx.MaxConnections, PerAddress: cfg.ConnectionsPerAddress, Trusted: cfg.TrustedProxies,
		Metrics: metrics, Now: now,
	})
	if cfg.TLSCertFile == "" {
		return limited, nil
	}
	certificate, err := tls.LoadX509KeyPair(cfg.TLSCertFile, cfg.TLSKeyFile)
	if err != nil {
		return nil, fmt.Errorf("TLS_CERT_FILE, TLS_KEY_FILE: %w", err)
	}
	return httpx.Encrypted(limited, &tls.Config{
		Certificates: []tls.Certificate{certificate},
		MinVersion:   tls.VersionTLS12,
		NextProtos:   []string{"http/1.1"},
	}), nil
}
