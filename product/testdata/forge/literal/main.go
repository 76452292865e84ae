// The field of review.Released cannot be filled from outside.
package main

import (
	"github.com/atalaya-isr/atalaya/product"
	"github.com/atalaya-isr/atalaya/review"
)

func main() { _, _ = product.Build(review.Released{sealed: nil}, product.Options{}) }
