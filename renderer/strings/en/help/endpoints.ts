/** Help on figures: Endpoints. */
export const endpointsHelp = {
  'endpoints.roundTrip': {
    name: 'round trip',
    what: 'Time to the endpoint and back without inference, in ms.',
    how: 'Median of the last probes.',
    do: 'Above some ten ms on a local network, look for a busy link.',
  },
  'endpoints.link': {
    name: 'link',
    what: 'Bytes a second that reach the endpoint.',
    how: 'Measured while inputs were sent.',
    do: 'On a weak link choose variants with smaller inputs.',
  },
  'endpoints.queue': {
    name: 'queue',
    what: 'Requests that wait there, of how many it takes before it refuses.',
    how: 'As the server tells.',
    do: 'If it stays full, add an endpoint to the tier.',
  },
  'endpoints.busy': {
    name: 'busy',
    what: 'Share of the endpoint’s processors in use, in %.',
    how: 'As the server tells.',
    do: 'Near 100% its answers are late.',
  },
  'endpoints.offers': {
    name: 'offers',
    what: 'Variants of the deployment that the endpoint serves, of all of them.',
    how: 'From its list of models.',
    do: 'Push what is missing, or take the variant out.',
  },
  'endpoints.memory': {
    name: 'memory there',
    what: 'Memory available on the endpoint’s machine.',
    how: 'As the server tells.',
    do: 'If little is left it can’t load another variant.',
  },
} as const;
