package main

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"runtime/pprof"
	"syscall"
	"time"

	"github.com/acquaint/acquaint/bench/internal/harness"
)

// Usage is what a server process uses.
type Usage struct {
	Sockets    int
	Goroutines int
	RSS        int64         // bytes of physical memory, as the kernel counts them
	Go         int64         // bytes of it that are live objects and stacks
	CPU        time.Duration // since the process started
}

// settle is how often memory is collected before it is counted: each time, a stack that has become too large shrinks to
// a half.
const settle = 4

// usage counts, after all garbage is collected and given back.
func usage(sockets int) (Usage, error) {
	for range settle {
		runtime.GC()
	}
	debug.FreeOSMemory()
	samples := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/stacks:bytes"}}
	metrics.Read(samples)
	u := Usage{Sockets: sockets, Goroutines: runtime.NumGoroutine()}
	for _, s := range samples {
		u.Go += int64(s.Value.Uint64()) //nolint:gosec // no machine has that much
	}
	var err error
	u.RSS, err = harness.Resident(os.Getpid())
	return u, err
}

// processorTime is what this process has used of the processors.
func processorTime() (time.Duration, error) {
	var r syscall.Rusage
	err := syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return time.Duration(syscall.TimevalToNsec(r.Utime) + syscall.TimevalToNsec(r.Stime)), err
}

// Profiler writes pprof profiles of its process.
type Profiler struct{ cpu *os.File }

// Snapshot writes what is alive, and where its goroutines stand, to files with a prefix.
func (*Profiler) Snapshot(prefix string, _ *struct{}) error {
	for _, name := range []string{"heap", "goroutine"} {
		file, err := os.Create(filepath.Clean(prefix + "." + name + ".pprof"))
		if err != nil {
			return err
		}
		if err := errors.Join(pprof.Lookup(name).WriteTo(file, 0), file.Close()); err != nil {
			return err
		}
	}
	return nil
}

// StartCPU starts a profile of the processor time, into a file. Allocations are no longer sampled then, as that takes
// time, too.
func (p *Profiler) StartCPU(path string, _ *struct{}) (err error) {
	runtime.MemProfileRate = 0
	if p.cpu, err = os.Create(filepath.Clean(path)); err != nil {
		return err
	}
	return pprof.StartCPUProfile(p.cpu)
}

// StopCPU ends it.
func (p *Profiler) StopCPU(_ struct{}, _ *struct{}) error {
	pprof.StopCPUProfile()
	return p.cpu.Close()
}
