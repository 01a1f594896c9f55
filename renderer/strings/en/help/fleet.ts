/** Help on figures: Fleet. */
export const fleetHelp = {
  'fleet.state': {
    name: 'state of a box',
    what: 'Whether the box answers: online, connecting, offline, or refused.',
    how: 'By the connection and a ping every 5 s; three without a sign of life count as lost.',
    do: 'Offline is tried again by itself, ever slower; refused waits for you: open the box, its reason says what to enter.',
  },
  'fleet.cpu': {
    name: 'CPU of a box',
    what: 'How busy the whole machine is, in percent of all its cores.',
    how: 'By the box’s own sampler, told at most twice a second; while it is away the last value stays, greyed.',
    do: 'If it stays near 100, look at Runs and Jobs, then open the box’s Device panel.',
  },
  'fleet.memory': {
    name: 'memory of a box',
    what: 'Memory in use on the whole machine, of all it has, in bytes.',
    how: 'By the box’s own sampler; memory that the kernel can take back at once does not count as used.',
    do: 'If it is nearly full, lower the box’s budget: its networks then stream more from disk.',
  },
  'fleet.budget': {
    name: 'budget of a box',
    what: 'Parameter memory that its models hold, in bytes, of the limit set there; above the table the sum of all boxes.',
    how: 'Ring buffers, resident layers and constants, as the box’s engine counts them.',
    do: 'Held near the limit is as intended; to change the limit, open the box and move its budget.',
  },
  'fleet.disk': {
    name: 'SSD read of a box',
    what: 'Bytes read from its disk each second.',
    how: 'By the box’s own sampler, over all processes.',
    do: 'High while a network streams is right; high at rest means that something else reads.',
  },
  'fleet.models': {
    name: 'models of a box',
    what: 'How many networks and language models its library has.',
    how: 'Counted from the lists the box tells; the tip names them.',
    do: 'Choose boxes and push what is missing.',
  },
  'fleet.runs': {
    name: 'runs of a box',
    what: 'Runs that are going now; above the table the sum of all boxes.',
    how: 'Counted from what the box tells of each run.',
    do: 'Open the box’s Run panel to see or stop them.',
  },
  'fleet.jobs': {
    name: 'jobs of a box',
    what: 'Imports, verifications and other long work that is going now.',
    how: 'Counted from what the box tells of each job.',
    do: 'A job that stays for long: open the box’s Models panel, where it can be cancelled.',
  },
  'fleet.decisions': {
    name: 'decisions of a box',
    what: 'How many decisions its offload deployment has made.',
    how: 'Counted by the box since its deployment started.',
    do: 'None although one runs: open the box’s Decisions panel.',
  },
  'fleet.response': {
    name: 'response of a box',
    what: 'Median response time of its deployment’s users, in ms.',
    how: 'Over the last hundred decisions that came back with a time.',
    do: 'If it rises, compare round trip and CPU: the link and the box are told apart by them.',
  },
  'fleet.alerts': {
    name: 'alerts of a box',
    what: 'Failures that ask for a look; above the table the sum of all boxes that are online.',
    how: 'Runs and jobs that failed within the hour, and endpoints that can’t be reached, as the box tells them.',
    do: 'Choose the box: its alerts stand in words beside it.',
  },
  'fleet.roundTrip': {
    name: 'round trip',
    what: 'Time from this machine to the box and back, in ms.',
    how: 'From a ping on the box’s own connection every 5 s.',
    do: 'If it rises while the box’s CPU does not, the link is busy: a push that goes on takes its share.',
  },
  'fleet.since': {
    name: 'since',
    what: 'How long the box has been in its state.',
    how: 'Since this engine last saw the state change.',
    do: 'Short again and again means a link that comes and goes.',
  },
  'fleet.online': {
    name: 'boxes online',
    what: 'Boxes that answer now, of all that are attached.',
    how: 'Counted from their states.',
    do: 'Filter by Offline or Refused to see the others with their reasons.',
  },
  'fleet.sent': {
    name: 'sent',
    what: 'Bytes of the model that have come to the box, of all.',
    how: 'Counted as the connection takes them; a push that broke off goes on where it was, and the box checks the SHA-256 of the whole.',
    do: 'If it stands still while the box is online, its disk or its link is slow.',
  },
  'fleet.rate': {
    name: 'rate of a push',
    what: 'Bytes that come to the box each second, and the time left at that rate.',
    how: 'Over the last seconds of this push to this box; four boxes are served at a time.',
    do: 'Boxes behind one link share it: push to fewer at a time.',
  },
} as const;
