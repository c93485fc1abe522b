// Package task runs what is to be done every so often, each task on one node at a time.
//
// The tables say when a task was last done, and which node has it: a node takes the lease of a task that is due by
// compare-and-set, and renews it between batches. Nothing is timed by a node's memory, so that
//   - of any number of nodes one does a task when it is due, and the others pass it over;
//   - the task of a node that dies is another's when the lease has run out;
//   - after downtime, whatever is due is done at once;
//   - what failed, or was interrupted, is done again at the next check.
//
// A task may so be done twice, in part: whatever it does must bear that.
package task
