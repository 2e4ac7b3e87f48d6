package node

import (
	_ "os"

	_ "github.com/crashlint/crashlint/internal/loader"
)
