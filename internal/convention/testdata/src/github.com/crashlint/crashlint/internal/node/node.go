package node

import (
	_ "path/filepath" // want `internal/node must not import path/filepath: it reads the world, and internal/node computes from what it is given`
	_ "strings"

	_ "github.com/crashlint/crashlint/internal/rule" // want `internal/node must not import github.com/crashlint/crashlint/internal/rule: the import law does not allow it`
	_ "github.com/urfave/cli/v2"                     // want `internal/node must not import github.com/urfave/cli/v2: only internal/cli may`
)
