package main

import (
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
)

// heapAlone says to TestRaiseHeap that it is in a process of its own.
const heapAlone = "ACQUAINT_TEST_HEAP_ALONE"

// The collector waits until there is much to collect, and what makes it wait takes no memory: of a server, whose heap is
// new. What other tests have used and given back would have to be cleared, which takes it.
func TestRaiseHeap(t *testing.T) {
	if os.Getenv(heapAlone) == "" {
		alone := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestRaiseHeap$", "-test.count=1")
		alone.Env = append(os.Environ(), heapAlone+"=1")
		if out, err := alone.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	t.Setenv("GOGC", "100")
	floor.Store(nil)
	raiseHeap()
	if floor.Load() != nil {
		t.Error("the environment's word was not heeded")
	}
	t.Setenv("GOGC", "")
	limit := debug.SetMemoryLimit(limitLeast - 1)
	raiseHeap()
	debug.SetMemoryLimit(limit)
	if floor.Load() != nil {
		t.Error("it takes a good part of little memory")
	}
	runtime.GC()
	before := resident(t)
	raiseHeap()
	runtime.GC()
	var after runtime.MemStats
	runtime.ReadMemStats(&after)
	if after.NextGC < 2*heapFloor {
		t.Errorf("it collects again at %d bytes", after.NextGC)
	}
	if taken := resident(t) - before; before > 0 && taken > heapFloor/2 {
		t.Errorf("it takes %d bytes", taken)
	}
}

// resident is the process's memory in bytes; 0 where the system does not tell.
func resident(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if kilobytes, found := strings.CutPrefix(line, "VmRSS:"); found {
			n, err := strconv.Atoi(strings.Fields(kilobytes)[0])
			if err != nil {
				t.Fatal(err)
			}
			return n << 10
		}
	}
	return 0
}
