// Command crashlint says which Kubernetes workloads will go into
// CrashLoopBackOff, why, at which line, and what to write instead.
package main

import (
	"os"

	"github.com/crashlint/crashlint/internal/cli"
)

func main() { os.Exit(cli.Main(os.Args, cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr})) }
