package main

import (
	"os"
	"runtime/debug"
	"sync/atomic"
)

// heapFloor is a part of the heap that nobody uses, in bytes. The collector runs when the heap has doubled, and the heap of a
// server with little to do is a few MB: it ran after every eighty invitations, and each time those that were under way
// waited for a processor, which was all of their 99th percentile. With this it runs after more than a thousand. The kernel
// gives memory when it is first written to, so what is never touched costs none.
const heapFloor = 32 << 20

// floor keeps heapFloor.
var floor atomic.Pointer[[]byte]

// limitLeast is the least limit of memory (GOMEMLIMIT) with which there is a floor: it counts towards the limit.
const limitLeast = 4 * heapFloor

// raiseHeap makes the collector run less often while the heap is small, unless the environment says how often it is to run,
// or leaves it little memory.
func raiseHeap() {
	if os.Getenv("GOGC") == "" && debug.SetMemoryLimit(-1) >= limitLeast && floor.Load() == nil {
		never := make([]byte, heapFloor)
		floor.CompareAndSwap(nil, &never)
	}
}
