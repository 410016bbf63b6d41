package password

import (
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkHashesInParallel keeps all slots busy under the memory limit of the process and reports, beside the time of a hash, the
// greatest memory that the Go runtime held.
func BenchmarkHashesInParallel(b *testing.B) {
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(48 << 20)) // cmd/accounts sets the same
	for name, parallel := range map[string]int{"1": 1, "2": 2} {
		b.Run(name, func(b *testing.B) {
			hasher := newHasher(parallel)
			stop, sampled := make(chan struct{}), make(chan uint64)
			go func() { sampled <- samplePeak(stop) }()
			var left atomic.Int64
			left.Store(int64(b.N))
			var workers sync.WaitGroup
			for range 2 * parallel {
				workers.Go(func() {
					for left.Add(-1) >= 0 {
						if _, err := hasher.Hash(b.Context(), home, "Jhlee'spwd0"); err != nil {
							b.Error(err)
						}
					}
				})
			}
			workers.Wait()
			close(stop)
			b.ReportMetric(float64(<-sampled)/(1<<20), "peak-MiB")
		})
	}
}

// samplePeak returns the greatest memory that the runtime held until stop is closed.
func samplePeak(stop <-chan struct{}) (peak uint64) {
	samples := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for {
		metrics.Read(samples)
		peak = max(peak, samples[0].Value.Uint64()-samples[1].Value.Uint64())
		select {
		case <-stop:
			return peak
		case <-ticker.C:
		}
	}
}
