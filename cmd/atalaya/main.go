// Command atalaya turns what aircraft sense into places that people check, and what they found there into better sensing.
package main

import "os"

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }
