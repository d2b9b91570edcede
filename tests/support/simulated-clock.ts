export { SimulatedClock } from '../../testing/simulated-clock.ts';
