//! temporary
#![allow(missing_docs)]
use model::*;
use model::observation::Party;
use std::net::IpAddr;
use serde::{Serialize, Deserialize};
#[derive(Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Debug, Serialize, Deserialize)] pub struct DeviceIx(pub u32);
#[derive(Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Debug, Serialize, Deserialize)]
pub enum Entity { Device(DeviceIx), External(IpAddr), Group, Nobody }
#[derive(Copy, Clone, Debug)]
pub struct Who { pub subject: Entity, pub peer: Entity, pub subject_is_new: bool, pub peer_is_new: bool }
#[derive(Default, Clone, Debug, Serialize, Deserialize)]
pub struct Settings { pub internal: Vec<(IpAddr, u8)>, pub clinical: Vec<(IpAddr,u8)> }

#[derive(Debug)]
pub struct Inventory { ips: Vec<(IpAddr, Option<Mac>)>, seen: std::collections::HashMap<IpAddr,u32> }
#[derive(Debug)]
pub struct LoadError;
impl std::fmt::Display for LoadError { fn fmt(&self, f:&mut std::fmt::Formatter<'_>)->std::fmt::Result { f.write_str("x") } }
impl Inventory {
  pub fn new(_s: Settings) -> Self { Inventory{ips:vec![],seen:Default::default()} }
  fn get(&mut self, p:&Party)->(Entity,bool) { let Some(ip)=p.ip else {return (Entity::Nobody,false)}; if !model::net::is_unicast(ip) {return (Entity::Group,false)} if !model::net::is_internal(ip){return (Entity::External(ip),false)} let n=self.ips.len() as u32; let mut new=false; let ix=*self.seen.entry(ip).or_insert_with(||{new=true;n}); if new {self.ips.push((ip,p.mac))} (Entity::Device(DeviceIx(ix)),new) }
  pub fn observe(&mut self, o: &Observation) -> Who { let (subject,a)=self.get(&o.subject); let (peer,b)=o.peer.as_ref().map_or((Entity::Nobody,false),|p|self.get(p)); Who{subject,peer,subject_is_new:a,peer_is_new:b} }
  pub fn entity(&self, p: &Party) -> Entity { let Some(ip)=p.ip else {return Entity::Nobody}; self.seen.get(&ip).map_or(Entity::Nobody,|i|Entity::Device(DeviceIx(*i))) }
  pub fn class(&self, _ix: DeviceIx) -> DeviceClass { DeviceClass::Unknown } pub fn tier(&self, _ix: DeviceIx) -> Tier{ Tier::T0 } pub fn confidence(&self, _ix: DeviceIx) -> f64{ 0.0 }
  pub fn name(&self, _ix: DeviceIx) -> Option<&str>{ None } pub fn label(&self, ix: DeviceIx) -> String{ format!("unknown device {}", self.ips[ix.0 as usize].0) }
  pub fn ip(&self, ix: DeviceIx) -> Option<IpAddr>{ Some(self.ips[ix.0 as usize].0) } pub fn mac(&self, ix: DeviceIx) -> Option<Mac>{ self.ips[ix.0 as usize].1 } pub fn has_role(&self, _ix: DeviceIx, _role: &str) -> bool{ false }
  pub fn first_seen(&self, _ix: DeviceIx) -> Timestamp{ Timestamp::MIN } pub fn last_seen(&self, _ix: DeviceIx)-> Timestamp{ Timestamp::MIN } pub fn device_id(&self, ix: DeviceIx) -> DeviceId{ DeviceId(format!("D-{:04}",ix.0)) } pub fn len(&self)->usize{ self.ips.len() }
  pub fn device(&self, ix: DeviceIx) -> Device{ Device{id:self.device_id(ix),ip:vec![self.ips[ix.0 as usize].0],..Default::default()} } pub fn devices(&self) -> Vec<Device>{ (0..self.ips.len()).map(|i|self.device(DeviceIx(i as u32))).collect() }  pub fn reference(&self, ix: DeviceIx, ip: Option<IpAddr>) -> DeviceRef{ DeviceRef{id:self.device_id(ix),ip:ip.or(self.ip(ix)),mac:self.mac(ix),..Default::default()} } pub fn by_id(&self, _id:&DeviceId) -> Option<DeviceIx>{ None }
  pub fn confirm(&mut self, _ix: DeviceIx, _class: DeviceClass, _by: &str, _at: Timestamp){ }
  pub fn save(&self) -> serde_json::Value{ serde_json::Value::Null } pub fn load(&mut self, _v:&serde_json::Value) -> Result<(), LoadError>{ Ok(()) }
  pub fn tick(&mut self, _now: Timestamp){ }
}
