export {
  asOperator,
  behindProxy as fronted,
  refusedByProxy as refusedByFront,
  settingsBehindProxy as settingsBehindFront,
} from './proxy-setup.ts';
