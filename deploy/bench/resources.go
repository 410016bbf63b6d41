package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"oms.internal/libs/pace"
	"oms.internal/servers/proc"

	"oms.internal/deploy/bench/internal/report"
)

var (
	cores    = runtime.NumCPU()
	services = []string{"gateway", "accounts", "orders"}
)

// atRest measures what the system costs when nobody asks anything.
func (b *bench) atRest(ctx context.Context) error {
	const cpu, memory = "CPU of the whole system at rest", "resident memory of %s at rest"
	if !b.wanted(cpu) && !b.wanted(memory) {
		return nil
	}
	settle, lasting := 15*time.Second, 20*time.Second
	if b.quick {
		settle, lasting = 5*time.Second, 5*time.Second
	}
	if err := pace.Wait(ctx, settle); err != nil {
		return err
	}
	processes, err := b.processes()
	if err != nil {
		return err
	}
	before, err := cpuOf(processes)
	if err != nil {
		return err
	}
	if err := pace.Wait(ctx, lasting); err != nil {
		return err
	}
	after, err := cpuOf(processes)
	if err != nil {
		return err
	}
	var total time.Duration
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(after)) {
		used := after[name] - before[name]
		total += used
		parts = append(parts, fmt.Sprintf("%s %.1f", name, percent(used, lasting)))
	}
	b.add(report.Row{What: cpu, Unit: "% of a core", Ours: []float64{percent(total, lasting)}, Bar: 3, AtMost: true, Note: strings.Join(parts, ", ")})
	for _, name := range services {
		held, err := statusOf(processes[name], "VmRSS")
		if err != nil {
			return err
		}
		b.add(report.Row{What: fmt.Sprintf(memory, name), Unit: "MiB", Ours: []float64{held}, Bar: 25, AtMost: true})
	}
	return nil
}

func percent(used, lasting time.Duration) float64 { return 100 * used.Seconds() / lasting.Seconds() }

// memory tells the most that each process held in this run.
func (b *bench) memory(context.Context) error {
	processes, err := b.processes()
	if err != nil {
		return err
	}
	b.report.Memory = map[string]float64{}
	for name, process := range processes {
		if b.report.Memory[name], err = statusOf(process, "VmHWM"); err != nil {
			return err
		}
	}
	for _, name := range services {
		if what := "resident memory of " + name + " under load"; b.wanted(what) {
			b.add(report.Row{What: what, Unit: "MiB", Ours: []float64{b.report.Memory[name]}, Bar: 64, AtMost: true})
		}
	}
	return nil
}

// starts measures how long another instance of each service takes until it is ready.
func (b *bench) starts(ctx context.Context) error {
	for _, name := range services {
		row := report.Row{What: "start of " + name + " to ready", Unit: "s", Bar: 0.5, AtMost: true}
		if !b.wanted(row.What) {
			continue
		}
		for range b.repeat {
			began := time.Now()
			_, end, err := b.beside(ctx, name+"-started", name)
			if err != nil {
				return err
			}
			row.Ours = append(row.Ours, time.Since(began).Seconds())
			if err := end(); err != nil {
				return err
			}
		}
		b.add(row)
	}
	return nil
}

// tick is the unit of times in /proc; Linux has had no other for user programs.
const tick = 10 * time.Millisecond

// cpuOf returns how long each process has worked until now.
func cpuOf(processes map[string]*proc.Process) (map[string]time.Duration, error) {
	used := map[string]time.Duration{}
	for name, process := range processes {
		content, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", process.PID()))
		if err != nil {
			return nil, err
		}
		if used[name], err = parseStat(string(content)); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return used, nil
}

// parseStat returns the time in user and in kernel mode. The name of the program, which may hold anything, is in brackets.
func parseStat(stat string) (time.Duration, error) {
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	const user, kernel = 11, 12 // counted after the brackets
	if len(fields) <= kernel {
		return 0, fmt.Errorf("unknown form: %q", stat)
	}
	inUser, userErr := strconv.Atoi(fields[user])
	inKernel, kernelErr := strconv.Atoi(fields[kernel])
	return time.Duration(inUser+inKernel) * tick, errors.Join(userErr, kernelErr)
}

// statusOf returns a size of memory of a process in MiB.
func statusOf(process *proc.Process, field string) (float64, error) {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", process.PID()))
	if err != nil {
		return 0, err
	}
	return parseStatus(string(content), field)
}

func parseStatus(status, field string) (float64, error) {
	_, rest, found := strings.Cut(status, "\n"+field+":")
	text, _, _ := strings.Cut(rest, " kB")
	kilobytes, err := strconv.Atoi(strings.TrimSpace(text))
	if !found || err != nil {
		return 0, fmt.Errorf("no %s in the status of a process", field)
	}
	return float64(kilobytes) / 1024, nil
}
