/** What the form of a new search begins with. */
export const EXAMPLE_SEARCH = `{
  "space": {
    "lr": { "type": "float", "min": 0.0001, "max": 0.1, "scale": "log" },
    "hidden": { "type": "int", "min": 8, "max": 128 },
    "optimizer": { "type": "choice", "values": ["sgd", "adam"] }
  },
  "metric": { "name": "accuracy", "direction": "max" },
  "algorithm": { "name": "asha", "eta": 3 },
  "maxResource": 27,
  "budget": 540,
  "parallel": 2
}
`;
