package network

import (
	_ "net"      // want `rules/network must not import net: it reads the world`
	_ "net/http" // want `rules/network must not import net/http: it reads the world`
	_ "net/url"
	_ "os" // want `rules/network must not import os: it reads the world`

	_ "github.com/crashlint/crashlint/internal/cluster"
	_ "github.com/crashlint/crashlint/internal/loader" // want `rules/network must not import github.com/crashlint/crashlint/internal/loader: the import law does not allow it`
	"github.com/crashlint/crashlint/internal/rule"
	_ "github.com/sirupsen/logrus" // want `rules/network must not import github.com/sirupsen/logrus: it is not one of the libraries of rules/\*`
	_ "k8s.io/api/core/v1"
)

var Family = &rule.Family{Name: "network"}
