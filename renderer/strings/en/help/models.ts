/** Help on figures: Models. */
export const modelsHelp = {
  'models.layers': {
    name: 'bytes per layer',
    what: 'Weight bytes of each layer, in order of execution.',
    how: 'From the compiled store.',
    do: 'One layer far above the others sets the least memory; it can be tiled.',
  },
  'models.weights': {
    name: 'weights',
    what: 'All parameter bytes of the model, W.',
    how: 'From the compiled store.',
    do: 'A budget of as much keeps the whole model in memory.',
  },
  'models.count': {
    name: 'layers',
    what: 'Layers that can be read and run one by one.',
    how: 'Counted when the model was compiled.',
    do: 'Many small layers cost a read each.',
  },
  'models.largest': {
    name: 'largest layer',
    what: 'Weight bytes of the largest layer.',
    how: 'From the compiled store.',
    do: 'It sets the least memory; compile with tiles to cut it.',
  },
  'models.minimum': {
    name: 'least memory',
    what: 'Least parameter memory the model streams in, in bytes.',
    how: 'From the plan with the smallest ring, in asynchronous mode.',
    do: 'Budgets below it are refused.',
  },
  'models.tiles': {
    name: 'tiles',
    what: 'Into how many pieces a layer can be cut.',
    how: 'From its operator and shapes.',
    do: 'More tiles need less memory and more reads.',
  },
  'models.compute': {
    name: 'compute time',
    what: 'Time to compute the layer, in ms.',
    how: 'From the profile taken at import: the median of its runs.',
    do: 'Import the model again on another machine.',
  },
  'models.parameters': {
    name: 'parameters',
    what: 'How many weights the model has.',
    how: 'Counted over its tensors.',
    do: 'Fewer parameters need less memory and read less.',
  },
  'models.context': {
    name: 'context',
    what: 'Tokens the model can attend to.',
    how: 'As its file tells.',
    do: 'Longer conversations lose their beginning.',
  },
  'models.cache': {
    name: 'cache a token',
    what: 'Bytes of keys and values of one token, in the full cache.',
    how: 'From layers, heads and their sizes.',
    do: 'Times the tokens of a conversation, it is what lies on disk.',
  },
} as const;
