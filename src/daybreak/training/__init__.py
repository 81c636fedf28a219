"""Learning a network from pictures: recipes, the training run itself, and exporting what was learned."""
