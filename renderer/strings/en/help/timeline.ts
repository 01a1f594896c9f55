/** Help on figures: Timeline. */
export const timelineHelp = {
  'timeline.range': {
    name: 'length',
    what: 'Length of the marked range, or of the whole inference.',
    how: 'From the start of the first computation; what was read before is told apart.',
    do: 'Shift-drag marks another range.',
  },
  'timeline.read': {
    name: 'read time',
    what: 'Time in which at least one read was under way, its bytes and rate.',
    how: 'From the spans of the recorded inference.',
    do: 'If the rate is below what Device shows for this disk, layers are small: reads cost a fixed time each.',
  },
  'timeline.compute': {
    name: 'compute time',
    what: 'Time in which a layer was computed, and its share of the range.',
    how: 'From the spans of the recorded inference.',
    do: 'If it fills the range, the processor is the limit: memory buys nothing more.',
  },
  'timeline.wait': {
    name: 'wait time',
    what: 'Time in which compute waited for the disk, and its share: the stall.',
    how: 'From the spans; choose a wait to see the read that ended it.',
    do: 'Raise the budget, or use the asynchronous mode, which reads ahead.',
  },
  'timeline.send': {
    name: 'send time',
    what: 'Time in which requests travelled to a server, with their bytes.',
    how: 'From the start of sending until the server has it all.',
    do: 'On a weak link a variant with a smaller input, or this device, is faster.',
  },
  'timeline.queue': {
    name: 'queue time',
    what: 'Time requests waited at a server before it computed.',
    how: 'As the server tells in its answer.',
    do: 'The server is busy: the agent learns to avoid it.',
  },
  'timeline.receive': {
    name: 'receive time',
    what: 'Time in which answers travelled back, with their bytes.',
    how: 'What is left of the round trip when send, queue and compute are taken off.',
    do: 'See send time.',
  },
  'timeline.lost': {
    name: 'lost time',
    what: 'Time spent on attempts that failed or were overtaken.',
    how: 'From the start of an attempt until it was given up.',
    do: 'Test the endpoint in Endpoints.',
  },
  'timeline.response': {
    name: 'response',
    what: 'Time from the start of the round to this user’s answer, in ms.',
    how: 'Measured on this device.',
    do: 'Sort by it, then look which stage takes most.',
  },
  'timeline.bytes': {
    name: 'bytes read',
    what: 'Bytes that were read for this layer, in MiB.',
    how: 'From the spans of the recorded inference.',
    do: 'None: the layer stayed in memory.',
  },
} as const;
