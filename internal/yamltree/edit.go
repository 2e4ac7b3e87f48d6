package yamltree

import (
	"errors"

	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/source"
)

// Edit implements node.Editor.
func (t *Tree) Edit(...node.Op) ([]source.Edit, error) {
	return nil, errors.New("not editable")
}
