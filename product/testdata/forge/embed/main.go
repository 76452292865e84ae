// A type that embeds review.Released is not one: an encoder does not take it.
package main

import (
	"github.com/atalaya-isr/atalaya/product"
	"github.com/atalaya-isr/atalaya/review"
)

type forged struct{ review.Released }

func main() { _, _ = product.Build(forged{}, product.Options{}) }
