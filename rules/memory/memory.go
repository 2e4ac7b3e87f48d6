// Package memory holds the rules about memory limits and what the process in the
// container makes of them.
package memory

import (
	"embed"

	"github.com/crashlint/crashlint/internal/rule"
)

//go:embed *.md
var docs embed.FS

// Family is the rules about memory.
var Family = &rule.Family{
	Name:  "memory",
	Title: "Memory limits against what the process takes",
	Docs:  docs,
	Rules: []*rule.Rule{
		jvmHeapOverLimit,
		jvmHeapUnset,
		jvmNotContainerAware,
		jvmFlagRefused,
		dotnetHeapOverLimit,
		ephemeralStorageTooSmall,
		goMemoryLimitMalformed,
		goMemoryLimitOverLimit,
		memoryLimitInMillibytes,
		memoryLimitTooLow,
		missingMemoryLimit,
		nodeFlagRefused,
		nodeHeapOverLimit,
		nodeHeapUnset,
		phpMemoryOverLimit,
		phpPoolRefused,
		pythonVariableRefused,
		requestOverLimit,
		serverMemoryOverLimit,
		shmTooSmall,
		tmpfsCountsAgainstLimit,
		vpaShrinksBelowHeap,
	},
}
