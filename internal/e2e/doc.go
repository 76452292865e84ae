// Package e2e drives the real workbench in a real browser: the walk of a case from the map to the package, with the keyboard
// alone, in both languages; and every room in both languages and themes under axe-core. It holds tests only.
package e2e
