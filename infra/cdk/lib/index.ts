export * from './code';
export * from './fundhook';
export * from './parameters.generated';
export * from './subscriber';
