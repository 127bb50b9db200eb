// Command print prints the version.
package main

import (
	"fmt"

	"github.com/cloudarq/cloudarq/internal/version"
)

func main() { fmt.Println(version.String()) }
