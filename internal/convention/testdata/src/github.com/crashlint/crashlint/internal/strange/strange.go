package strange // want `package internal/strange has no row in the import law of internal/convention`

import (
	_ "os"
	_ "strings"
)
